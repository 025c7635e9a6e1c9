/** Structured log lines through pino: one line of JSON each, to standard error unless told otherwise. */
import { type DestinationStream, type Logger as Pino, pino } from 'pino';
import { isWeftError } from '../../core/errors.ts';
import type { Logger, LogValues } from '../../core/ports/logger.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerOptions {
  /** `info` by default. */
  readonly level?: LogLevel;
  /** Standard error by default: standard output belongs to the answers of commands. */
  readonly destination?: DestinationStream;
  /** Is given every line that is written, without its newline. */
  readonly onLine?: (line: string) => void;
}

const standardError = 2;

/** The daemon's logger. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const stream = options.destination ?? pino.destination({ fd: standardError, sync: true });
  const { onLine } = options;
  const heard = onLine === undefined ? stream : heardBy(stream, onLine);
  return new PinoLogger(pino({ level: options.level ?? 'info', base: null, messageKey: 'message' }, heard));
}

function heardBy(stream: DestinationStream, onLine: (line: string) => void): DestinationStream {
  return {
    write(line: string): void {
      stream.write(line);
      onLine(line.trimEnd());
    },
  };
}

/** The port over a pino logger that the caller has set up. */
export class PinoLogger implements Logger {
  readonly #pino: Pino;

  constructor(over: Pino) {
    this.#pino = over;
  }

  debug(message: string, values?: LogValues): void {
    this.#write('debug', message, values);
  }

  info(message: string, values?: LogValues): void {
    this.#write('info', message, values);
  }

  warn(message: string, values?: LogValues): void {
    this.#write('warn', message, values);
  }

  error(message: string, values?: LogValues): void {
    this.#write('error', message, values);
  }

  child(values: LogValues): Logger {
    return new PinoLogger(this.#pino.child(plain(values)));
  }

  #write(level: Exclude<LogLevel, 'silent'>, message: string, values: LogValues | undefined): void {
    if (this.#pino.isLevelEnabled(level)) this.#pino[level](plain(values ?? {}), message);
  }
}

/** Values as JSON can say them: errors by code, message and cause; big integers by their digits. */
function plain(values: LogValues): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, plainValue(value)]));
}

/** Chains of causes are short; the bound is for those that loop. */
const causesMax = 8;

function plainValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (!(value instanceof Error)) return value;
  const cause =
    value.cause === undefined || depth === causesMax ? {} : { cause: plainValue(value.cause, depth + 1) };
  if (isWeftError(value)) return { code: value.code, message: value.message, ...cause };
  // Where no code says what happened, only the stack tells where.
  return { name: value.name, message: value.message, stack: value.stack, ...cause };
}
