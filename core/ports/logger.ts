/**
 * Structured log lines: a constant message and its values. Levels as operators know them. Implementations redact
 * nothing: callers never pass secrets.
 */
export interface Logger {
  debug(message: string, values?: LogValues): void;
  info(message: string, values?: LogValues): void;
  warn(message: string, values?: LogValues): void;
  error(message: string, values?: LogValues): void;
  /** A logger that adds `values` to every line. */
  child(values: LogValues): Logger;
}

export type LogValues = Readonly<Record<string, unknown>>;
