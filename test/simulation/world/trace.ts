/** What happened, line by line: a digest of all of it, and the text for whoever replays a seed. */
import { createHash } from 'node:crypto';
import type { Logger, LogValues } from '../../../core/ports/logger.ts';

const digestedCharactersMax = 65_536;

export class Trace {
  readonly #hash = createHash('sha256');
  readonly #print: ((line: string) => void) | undefined;
  #pending = '';

  /** @param print is given every line, where they are wanted */
  constructor(print?: (line: string) => void) {
    this.#print = print;
  }

  get isPrinted(): boolean {
    return this.#print !== undefined;
  }

  add(nowMs: number, who: string, what: string): void {
    const line = `${nowMs} ${who} ${what}\n`;
    this.#pending += line;
    if (this.#pending.length > digestedCharactersMax) this.#digest();
    this.#print?.(`${(nowMs / 1000).toFixed(4).padStart(9)} ${who.padEnd(8)} ${what}`);
  }

  /** The digest of every line so far. */
  get digest(): string {
    this.#digest();
    return this.#hash.copy().digest('hex');
  }

  #digest(): void {
    this.#hash.update(this.#pending);
    this.#pending = '';
  }
}

/** A process's log lines, into the trace. */
export class TraceLogger implements Logger {
  readonly #add: (line: string) => void;
  readonly #isPrinted: boolean;
  readonly #onSaid: (message: string, values: LogValues) => void;

  /** @param onSaid is told of every line */
  constructor(
    add: (line: string) => void,
    isPrinted: boolean,
    onSaid: (message: string, values: LogValues) => void,
  ) {
    this.#add = add;
    this.#isPrinted = isPrinted;
    this.#onSaid = onSaid;
  }

  debug(message: string, values?: LogValues): void {
    this.#line('debug', message, values);
  }

  info(message: string, values?: LogValues): void {
    this.#line('info', message, values);
  }

  warn(message: string, values?: LogValues): void {
    this.#line('warn', message, values);
  }

  error(message: string, values?: LogValues): void {
    this.#line('error', message, values);
  }

  child(): Logger {
    return this;
  }

  #line(level: string, message: string, values: LogValues | undefined): void {
    // Values take long to write, and what they tell of is in other lines.
    const rest = this.#isPrinted && values !== undefined ? ` ${textOf(values)}` : '';
    this.#add(`${level}: ${message}${rest}`);
    this.#onSaid(message, values ?? {});
  }
}

function textOf(values: LogValues): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${value instanceof Error ? value.message : String(value)}`)
    .join(' ');
}
