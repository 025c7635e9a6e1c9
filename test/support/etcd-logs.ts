/** Handles on a log in etcd, and tails that run beside a test. */
import { EtcdEventLog } from '../../adapters/etcd/event-log.ts';
import { type EtcdOptions, parseEtcdUrl } from '../../adapters/etcd/options.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { isWeftError } from '../../core/errors.ts';
import {
  type EntryDraft,
  type EventLog,
  genesis,
  type LogEntry,
  type Position,
} from '../../core/log/event-log.ts';
import { never } from './log-drafts.ts';
import { QuietLogger } from './quiet-logger.ts';

/** Opens handles and closes them all, so that a test need not. */
export class EtcdLogs {
  readonly logger = new QuietLogger();
  readonly #handles: EtcdEventLog[] = [];

  connect(url: string, more: Partial<EtcdOptions> = {}): EtcdEventLog {
    const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: this.logger };
    const log = new EtcdEventLog({ ...parseEtcdUrl(url), ...more }, ports);
    this.#handles.push(log);
    return log;
  }

  async open(url: string, more: Partial<EtcdOptions> = {}): Promise<EtcdEventLog> {
    const log = this.connect(url, more);
    await log.open(never());
    return log;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#handles.splice(0).map((log) => log.close()));
  }
}

/** A tail that reads on while the test does other things. */
export class RunningTail {
  readonly entries: LogEntry[] = [];
  /** Settles when the tail ends: undefined, or the error it ended with. */
  readonly ended: Promise<unknown>;
  readonly #controller = new AbortController();
  #changed: () => void = () => {};

  constructor(log: EventLog, after: Position = genesis) {
    this.ended = this.#run(log, after).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  get ids(): string[] {
    return this.entries.map(({ id }) => id);
  }

  /** Resolves once so many have come; the test's own limit ends the wait. */
  async until(count: number): Promise<void> {
    while (this.entries.length < count) {
      const ended = await Promise.race([
        this.ended.then((error) => ({ error })),
        new Promise<undefined>((resolve) => {
          this.#changed = () => resolve(undefined);
        }),
      ]);
      if (ended !== undefined) throw new Error('The tail ended too early', { cause: ended.error });
    }
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.ended;
  }

  async #run(log: EventLog, after: Position): Promise<void> {
    for await (const entry of log.tail(after, this.#controller.signal)) {
      this.entries.push(entry);
      this.#changed();
    }
  }
}

/** What became of one try to append. */
export type Try =
  | { readonly type: 'acked'; readonly position: Position }
  | { readonly type: 'unknown' }
  /** The error says that nothing happened. */
  | { readonly type: 'refused'; readonly code: string };

export async function tryAppend(log: EventLog, draft: EntryDraft): Promise<Try> {
  try {
    return { type: 'acked', position: await log.append(draft, never()) };
  } catch (error) {
    if (!isWeftError(error)) throw error;
    return error.code === 'outcome-unknown' ? { type: 'unknown' } : { type: 'refused', code: error.code };
  }
}

/** Repeats what fails because the store cannot be reached. The test's own limit ends it. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isWeftError(error, 'store-unreachable') && !isWeftError(error, 'outcome-unknown')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Waits for a condition that nothing announces. The test's own limit ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return isWeftError(error) ? error.code : String(error);
  }
  return 'no error';
}
