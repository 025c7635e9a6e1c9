/**
 * Entries whose author gave up while they might have been in the log, or on their way: asked after in the background
 * until the truth is known, and the truth logged, so that whoever was told "unknown" can be told more.
 *
 * Nothing is decided here. An entry that did land comes back by the tail like any other.
 */
import { isWeftError } from '../errors.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { AppenderOptions } from './appender-options.ts';
import { backoffMs } from './backoff.ts';
import type { EntryRef, EventLog, Position } from './event-log.ts';

interface Item {
  readonly ref: EntryRef;
  readonly records: number;
  readonly sinceMs: number;
  /** A position that the log had when the entry was made. */
  readonly after: Position;
}

/** What asking after an entry brought. */
type Finding = 'carried out' | 'not carried out' | 'not known yet' | 'given up';

export class UnknownOutcomes {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #options: AppenderOptions;
  readonly #scope = cancelScope();
  readonly #items: Item[] = [];
  #asking: Promise<void> | undefined;

  constructor(
    log: EventLog,
    ports: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
    options: AppenderOptions,
  ) {
    this.#log = log;
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#logger = ports.logger;
    this.#options = options;
  }

  /** Entries that are still asked after. */
  get size(): number {
    return this.#items.length;
  }

  /**
   * Begins to ask after an entry whose author has stopped trying.
   *
   * @param records how many it has, for the log line
   * @param after a position that the log had when the entry was made: the entry can only lie behind it
   */
  add(ref: EntryRef, records: number, after: Position): void {
    const sinceMs = this.#clock.monotonicMs();
    this.#items.push({ ref: { id: ref.id, base: ref.base }, records, sinceMs, after });
    if (this.#items.length > this.#options.unresolvedMax) this.#report(this.#items.shift(), 'given up');
    this.#asking ??= this.#ask();
  }

  /** Of what was asked of a log that has ended nothing more is to be learned. */
  giveUp(): void {
    for (const item of this.#items.splice(0)) this.#report(item, 'given up');
  }

  /** Stops asking; what is not known then stays so. */
  async close(): Promise<void> {
    this.#scope.cancel();
    await this.#asking;
    this.giveUp();
  }

  /** Rounds with growing pauses, for as long as there is something to ask after. */
  async #ask(): Promise<void> {
    for (let round = 1; this.#items.length > 0 && !this.#scope.signal.aborted; round++) {
      await this.#clock.sleep(backoffMs(round, this.#options, this.#random), this.#scope.signal);
      for (const item of [...this.#items]) {
        const finding = await this.#find(item);
        if (finding !== 'not known yet') this.#settle(item, finding);
      }
    }
    this.#asking = undefined;
  }

  async #find(item: Item): Promise<Finding> {
    if (this.#scope.signal.aborted) return 'not known yet';
    const ageMs = this.#clock.monotonicMs() - item.sinceMs;
    try {
      const position = await this.#within(this.#options.attemptMsMax, (signal) =>
        this.#log.resolve(item.ref, signal),
      );
      if (position !== undefined) return 'carried out';
      if (ageMs < this.#options.settleMs) return 'not known yet';
      return (await this.#isTrimmed(item.after)) ? 'given up' : 'not carried out';
    } catch (error) {
      this.#logger.debug('cannot ask after an append of unknown outcome', { entry: item.ref.id, error });
      return ageMs >= this.#options.resolveMsMax ? 'given up' : 'not known yet';
    }
  }

  /** Whether the log was trimmed beyond a position: then nobody can tell whether an entry that came later was there. */
  async #isTrimmed(after: Position): Promise<boolean> {
    try {
      await this.#within(this.#options.attemptMsMax, async (signal) => {
        if ((await this.#log.head(signal)) === after) return;
        for await (const _entry of this.#log.tail(after, signal)) return;
      });
      return false;
    } catch (error) {
      if (isWeftError(error, 'log-trimmed')) return true;
      throw error;
    }
  }

  async #within<T>(limitMs: number, call: (signal: CancelSignal) => Promise<T>): Promise<T> {
    using limit = cancelScope(this.#scope.signal);
    using watch = cancelScope();
    void this.#clock.sleep(limitMs, watch.signal).then(limit.cancel);
    return await call(limit.signal);
  }

  #settle(item: Item, finding: Finding): void {
    const index = this.#items.indexOf(item);
    if (index < 0) return;
    this.#items.splice(index, 1);
    this.#report(item, finding);
  }

  #report(item: Item | undefined, finding: Finding): void {
    if (item === undefined) return;
    const values = { entry: item.ref.id, records: item.records };
    if (finding === 'carried out') this.#logger.info('an append of unknown outcome was carried out', values);
    else if (finding === 'not carried out')
      this.#logger.info('an append of unknown outcome was not carried out', values);
    else this.#logger.warn('the outcome of an append stays unknown', values);
  }
}
