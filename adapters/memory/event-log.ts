/**
 * The log in memory: the reference for the contract, for tests and for the simulator. Handles of one process that name
 * the same store share it; nothing outlives the process.
 *
 * A position is the entry's sequence, a colon and its id: `12:9f…`. The id makes a position of another log, or of the
 * same log before it was wiped, known for what it is.
 */
import { isWeftError, WeftError } from '../../core/errors.ts';
import { type CancelScope, cancelScope } from '../../core/lib/cancel-scope.ts';
import { entryBytesMax } from '../../core/limits.ts';
import {
  type EntryDraft,
  type EntryRef,
  type EventLog,
  genesis,
  type LogEntry,
  type LogHealth,
  noLogError,
  type Position,
  type WithoutLog,
} from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Random } from '../../core/ports/random.ts';
import { otherLog } from '../log-faults.ts';
import type { MemoryOptions } from './options.ts';
import { MemoryPresence } from './presence.ts';
import { type Exchange, MemorySnapshots } from './snapshots.ts';
import { isWrite, type MemoryStore, namedMemoryStore, type Operation } from './store.ts';

/** How often a tail looks whether a store that was cut off is back. */
const retryDelayMs = 20;

export class MemoryEventLog implements EventLog {
  readonly url: string;
  readonly snapshots: MemorySnapshots;
  readonly presence: MemoryPresence;
  readonly #store: MemoryStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #scope: CancelScope = cancelScope();
  #logId: LogId | undefined;
  #health: LogHealth = { reachable: true };

  /** Without a store of its own it shares the one that the process has under the options' name. */
  constructor(
    options: MemoryOptions,
    ports: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
    store: MemoryStore = namedMemoryStore(options.name),
  ) {
    this.url = `memory:${options.name}`;
    this.#store = store;
    const exchange: Exchange = (operation, signal, perform) => this.#exchange(operation, signal, perform);
    this.snapshots = new MemorySnapshots(store, exchange);
    this.presence = new MemoryPresence(store, exchange);
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#logger = ports.logger;
  }

  get health(): LogHealth {
    return this.#health;
  }

  async open(signal: CancelSignal, withoutLog: WithoutLog = 'begin'): Promise<LogId> {
    return await this.#exchange('open', signal, () => {
      if (withoutLog === 'refuse' && this.#store.logId === undefined) throw noLogError(this.url);
      this.#logId ??= this.#store.begin(this.#random.hex(16) as LogId);
      this.#checkIdentity();
      return this.#logId;
    });
  }

  async append(draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    if (draft.bytes.length > entryBytesMax) {
      throw new WeftError(
        'too-large',
        `An entry of ${draft.bytes.length} bytes is over the bound of ${entryBytesMax}: send less in one entry`,
      );
    }
    return await this.#exchange('append', signal, () => this.#positionOf(this.#store.put(draft)), draft);
  }

  async resolve(ref: EntryRef, signal: CancelSignal): Promise<Position | undefined> {
    return await this.#exchange('resolve', signal, () => {
      const sequence = this.#store.sequenceOf(ref.id);
      return sequence === undefined ? undefined : this.#positionOf(sequence);
    });
  }

  async head(signal: CancelSignal): Promise<Position> {
    return await this.#exchange('head', signal, () => this.#positionOf(this.#store.length));
  }

  async *tail(after: Position, signal: CancelSignal): AsyncGenerator<LogEntry, void, void> {
    if (this.#scope.signal.aborted) throw closedError();
    using scope = cancelScope(this.#scope.signal);
    signal.addEventListener('abort', scope.cancel, { once: true });
    if (signal.aborted) scope.cancel();
    try {
      for (let at = after; ; ) {
        const entry = await this.#next(at, scope.signal);
        if (entry === undefined) return;
        yield entry;
        at = entry.position;
      }
    } finally {
      signal.removeEventListener('abort', scope.cancel);
    }
  }

  async trim(upTo: Position, signal: CancelSignal): Promise<void> {
    await this.#exchange('trim', signal, () => {
      if (!this.#isTrimmed(upTo)) this.#store.trim(this.#sequenceOf(upTo));
    });
  }

  async discard(logId: LogId, signal: CancelSignal): Promise<void> {
    await this.#exchange('discard', signal, () => {
      const found = this.#store.logId;
      if (found !== undefined && found !== logId) throw otherLog(this.url, logId, found);
      if (found !== undefined) this.#store.wipe();
    });
  }

  async close(): Promise<void> {
    this.#scope.cancel();
  }

  /** The entry behind a position, however long it takes; undefined when cancelled. */
  async #next(after: Position, signal: CancelSignal): Promise<LogEntry | undefined> {
    while (!signal.aborted) {
      using news = cancelScope(signal);
      const stop = this.#store.listen(news.cancel);
      try {
        const entry = await this.#exchange('read', signal, () => this.#entryAfter(after));
        if (entry !== undefined) return entry;
        if (!news.signal.aborted) await cancelled(news.signal);
      } catch (error) {
        if (!isWeftError(error, 'store-unreachable')) throw error;
        await this.#clock.sleep(retryDelayMs, news.signal);
      } finally {
        stop();
      }
    }
    return undefined;
  }

  #entryAfter(after: Position): LogEntry | undefined {
    if (this.#isTrimmed(after)) throw trimmedError(this.url);
    const next = this.#sequenceOf(after) + 1;
    if (next > this.#store.length) return undefined;
    const { id, bytes } = this.#store.at(next);
    return { position: this.#positionOf(next), id, bytes: Uint8Array.from(bytes) };
  }

  /** Whether a position lies before the last entry that was trimmed: what was there cannot be told any more. */
  #isTrimmed(position: Position): boolean {
    return Number(position.split(':')[0]) < this.#store.floor;
  }

  /** @throws WeftError `log-ahead`, `log-mismatch` */
  #sequenceOf(position: Position): number {
    if (position === genesis) return 0;
    const [digits, id] = position.split(':');
    const sequence = Number(digits);
    if (!(sequence <= this.#store.length)) {
      throw new WeftError(
        'log-ahead',
        `Position ${position} lies beyond the end of ${this.url}, which has ${this.#store.length} entries: ` +
          'the store has lost entries or is another one',
      );
    }
    if (this.#store.idAt(sequence) !== id) throw mismatchError(this.url);
    return sequence;
  }

  #positionOf(sequence: number): Position {
    return sequence === 0 ? genesis : (`${sequence}:${this.#store.idAt(sequence)}` as Position);
  }

  #checkIdentity(): void {
    if (this.#logId !== undefined && this.#store.logId !== this.#logId) throw mismatchError(this.url);
  }

  /** One request and its answer, through whatever fault the store has for it. */
  async #exchange<T>(
    operation: Operation,
    signal: CancelSignal,
    perform: () => T,
    draft?: EntryDraft,
  ): Promise<T> {
    if (this.#scope.signal.aborted) throw closedError();
    const isBefore = operation === 'open' || operation === 'discard';
    if (!isBefore && this.#logId === undefined) {
      throw new Error('Broken invariant: the log was used before it was opened');
    }
    // A request takes a turn, as one to a server would: callers must not come to rely on an answer at once.
    await Promise.resolve();
    if (this.#scope.signal.aborted) throw closedError();
    if (signal.aborted) throw cancelledError(operation);
    const fault = this.#store.fateOf(operation, draft);
    if (fault !== undefined) return await this.#fail(fault, operation, signal, perform, draft);
    if (!isBefore) this.#checkIdentity();
    this.#setReachable(true);
    return perform();
  }

  async #fail(
    fault: NonNullable<ReturnType<MemoryStore['fateOf']>>,
    operation: Operation,
    signal: CancelSignal,
    perform: () => unknown,
    draft: EntryDraft | undefined,
  ): Promise<never> {
    this.#setReachable(false);
    if (fault === 'hang') await this.#silence(signal, () => this.#store.fateOf(operation, draft) === 'hang');
    if (fault === 'lose-answer') perform();
    if (fault === 'delay' && draft !== undefined) this.#store.delay(draft);
    if (this.#scope.signal.aborted && !isWrite(operation)) throw closedError();
    if (isWrite(operation) && fault !== 'refuse') {
      throw new WeftError('outcome-unknown', `The answer of ${this.url} was lost: ask what has become of it`);
    }
    throw new WeftError('store-unreachable', `${this.url} cannot be reached: it is cut off by a test`);
  }

  /** Until the sender gives up, or the store ends its silence. */
  async #silence(signal: CancelSignal, isSilent: () => boolean): Promise<void> {
    using end = cancelScope(this.#scope.signal);
    signal.addEventListener('abort', end.cancel, { once: true });
    while (!signal.aborted && !end.signal.aborted && isSilent()) {
      using news = cancelScope(end.signal);
      const stop = this.#store.listen(news.cancel);
      await cancelled(news.signal);
      stop();
    }
    signal.removeEventListener('abort', end.cancel);
  }

  #setReachable(reachable: boolean): void {
    if (this.#health.reachable !== reachable)
      this.#logger.debug('the store changed its reachability', { reachable });
    this.#health = reachable ? { reachable } : { reachable, reason: `${this.url} is cut off by a test` };
  }
}

function cancelled(signal: CancelSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

function closedError(): WeftError {
  return new WeftError('closed', 'The log is closed: open another one');
}

function cancelledError(operation: Operation): WeftError {
  if (operation === 'open') return new WeftError('closed', 'Opening the log was cancelled');
  return new WeftError('store-unreachable', 'The request was cancelled before it was sent; nothing happened');
}

function mismatchError(url: string): WeftError {
  return new WeftError(
    'log-mismatch',
    `${url} holds another log than the one that was opened: find out who replaced it before going on`,
  );
}

function trimmedError(url: string): WeftError {
  return new WeftError(
    'log-trimmed',
    `What follows that position has been trimmed from ${url}: begin again from a snapshot`,
  );
}
