/**
 * What a verb has at hand: the global options, the daemon, and somewhere to print. One per run of the program; specs
 * and verbs see nothing else of the process.
 */
import type { Answer, CallInput, PlanRequestBody, RouteName } from '../api/index.ts';
import { routes } from '../api/routes.ts';
import { socketDefault } from '../api/socket.ts';
import { printable } from './output/table.ts';
import { UsageError } from './usage.ts';

export type Format = 'table' | 'json' | 'yaml';
export const formats = ['table', 'json', 'yaml'] as const satisfies readonly Format[];

export interface GlobalOptions {
  /** Absent: the default one. */
  readonly socket?: string;
  /** Absent: what the verb prints by itself. */
  readonly format?: Format;
}

export interface Streams {
  out(text: string): void;
  err(text: string): void;
  /** Resolves when standard output takes more: for who writes a lot. */
  drained(): Promise<void>;
  /** Bytes to standard output; resolves when it takes more. @throws UsageError where it is a terminal */
  bytes(chunk: Uint8Array): Promise<void>;
  /** Lines of standard input, without their newlines. Read once in a run. */
  lines(): AsyncIterable<string>;
}

/** What of the daemon's folder verbs use; given by whoever composes the program, so that no other verb pays for it. */
export type LoadDaemon = () => Promise<{
  readonly runDaemon: (commandLine: DaemonCommandLine) => Promise<number>;
  readonly importStore: (
    commandLine: DaemonCommandLine,
    chunks: AsyncIterable<Uint8Array>,
  ) => Promise<ImportedStore>;
}>;

/** The log that an import has begun. */
export interface ImportedStore {
  /** Without credentials. */
  readonly store: string;
  readonly logId: string;
  readonly ordinal: number;
  readonly hosts: number;
  readonly networks: number;
  readonly endpoints: number;
}

export interface DaemonCommandLine {
  readonly flags: Readonly<Record<string, string>>;
  readonly file?: string;
}

/** Docker's indentation, so that the outputs can be compared line by line. */
const jsonIndent = 4;

export class Context {
  readonly streams: Streams;
  readonly #loadDaemon: LoadDaemon;
  readonly #globals: () => GlobalOptions;
  /** The exit status so far. */
  exitCode = 0;
  /** Changes are asked about, not made: `weft plan`. */
  isPlan = false;
  /** Ends the process although something might hold it. */
  exitNow = false;

  constructor(streams: Streams, loadDaemon: LoadDaemon, globals: () => GlobalOptions) {
    this.streams = streams;
    this.#loadDaemon = loadDaemon;
    this.#globals = globals;
  }

  get options(): GlobalOptions {
    return this.#globals();
  }

  /** Part of the daemon's own folder. @throws UsageError where only a plan was asked for */
  loadDaemon(): ReturnType<LoadDaemon> {
    if (this.isPlan) throw notPlannable();
    return this.#loadDaemon();
  }

  /** Asks the daemon. @param waitMs for the answer, where not as long as usual @throws WeftError */
  async call<R extends RouteName>(route: R, input: CallInput<R> = {}, waitMs?: number): Promise<Answer<R>> {
    if (this.isPlan && isChange(route)) await this.#plan(route, input);
    else if (this.isPlan && routes[route].method !== 'GET') throw notPlannable();
    return this.#ask(route, input, waitMs);
  }

  async #ask<R extends RouteName>(route: R, input: CallInput<R>, waitMs?: number): Promise<Answer<R>> {
    const { Client } = await import('../api/client.ts');
    const socket = this.options.socket ?? socketDefault;
    return new Client({ socket, ...(waitMs !== undefined && { waitMs }) }).call(route, input);
  }

  /** Shows what a change would do, in its place. @throws Planned always, when it is shown */
  async #plan<R extends RouteName>(change: R, input: CallInput<R>): Promise<never> {
    const { params = {}, body } = input as {
      readonly params?: Record<string, string>;
      readonly body?: unknown;
    };
    const ref = params['ref'] ?? params['name'];
    const asked = { change, ...(ref !== undefined && { ref }), ...(body !== undefined && { body }) };
    const plan = await this.#ask('plan', { body: asked as PlanRequestBody });
    const { planText } = await import('./output/plan.ts');
    await this.print(plan, () => planText(plan));
    throw new Planned();
  }

  /** Prints `value` in the format asked for, or else as `text` has it. */
  async print(value: unknown, text: () => string): Promise<void> {
    const { format } = this.options;
    if (format === undefined || format === 'table') this.streams.out(text());
    else this.streams.out(format === 'json' ? jsonText(value) : await yamlText(value));
  }

  /** Prints `value` as JSON unless YAML is asked for: what has no table. */
  async printDocument(value: unknown): Promise<void> {
    this.streams.out(this.options.format === 'yaml' ? await yamlText(value) : jsonText(value));
  }

  /** One line about something that failed while the rest goes on; the exit status becomes 1. */
  fail(message: string, code: string): void {
    this.streams.err(`weft: ${printable(message)} (${code})\n`);
    this.exitCode = 1;
  }

  /** One line about something that people should know and scripts need not. */
  warn(message: string): void {
    this.streams.err(`weft: ${printable(message)}\n`);
  }
}

/** Ends a verb whose change was shown and not made. */
export class Planned extends Error {
  override readonly name = 'Planned';
}

const changes: ReadonlySet<RouteName> = new Set([
  'createNetwork',
  'removeNetwork',
  'connect',
  'disconnect',
  'removeEndpoint',
  'removeHost',
]);

function isChange(route: RouteName): boolean {
  return changes.has(route);
}

function notPlannable(): UsageError {
  return new UsageError('this command changes something that nobody can foresee, so it cannot be planned');
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, jsonIndent)}\n`;
}

async function yamlText(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}
