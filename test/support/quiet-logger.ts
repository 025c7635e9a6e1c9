/** A logger that keeps its lines for tests to look at, and prints none. */
import type { Logger, LogValues } from '../../core/ports/logger.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly values: LogValues;
}

export class QuietLogger implements Logger {
  readonly lines: LogLine[];
  readonly #values: LogValues;

  constructor(values: LogValues = {}, lines: LogLine[] = []) {
    this.#values = values;
    this.lines = lines;
  }

  debug(message: string, values?: LogValues): void {
    this.#keep('debug', message, values);
  }

  info(message: string, values?: LogValues): void {
    this.#keep('info', message, values);
  }

  warn(message: string, values?: LogValues): void {
    this.#keep('warn', message, values);
  }

  error(message: string, values?: LogValues): void {
    this.#keep('error', message, values);
  }

  child(values: LogValues): Logger {
    return new QuietLogger({ ...this.#values, ...values }, this.lines);
  }

  #keep(level: LogLine['level'], message: string, values: LogValues | undefined): void {
    this.lines.push({ level, message, values: { ...this.#values, ...values } });
  }
}
