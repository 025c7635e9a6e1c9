/**
 * The log on Consul (1.8 or newer), contention-free: every entry under its author's own id.
 *
 * An append is one transaction: if the segment is open and the id does not exist, put the entry into the segment. No author
 * races another, and no read precedes a write but after a segment has ended. The order of the log is the order of create
 * indexes, which Consul gives out one a transaction; a position is that index with the entry's segment and id. Keys are in
 * `keys.ts`, transactions in `transactions.ts`, what an error means in `errors.ts`, the tail in `tail.ts`.
 *
 * Segments are there for the tail, since Consul wakes a reader only with everything under a folder. Which append ends one
 * is drawn by lot: nobody needs to know how many entries it has.
 *
 * Invariants:
 * - Nothing is written to an ended segment, and no key of an entry is written twice: a second version of one is damage
 *   (`log-damaged`), since a host that tails and a host that lists later would see different orders.
 * - Every write names the log's id, and every read that is believed came with it.
 * - An append sends at most one transaction that may be carried out; repeating it is its caller's to decide.
 */
import { WeftError } from '../../core/errors.ts';
import { cancelScope } from '../../core/lib/cancel-scope.ts';
import { entryBytesMax } from '../../core/limits.ts';
import type {
  EntryDraft,
  EntryRef,
  EventLog,
  LogEntry,
  LogHealth,
  Position,
} from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { StoredKey } from './answers.ts';
import { type OpenChannel, openChannel } from './channel.ts';
import { Connection } from './connection.ts';
import { ConsulCallError, readError, writeError } from './errors.ts';
import { openLog } from './identity.ts';
import { type PlaceKeys, placeKeys } from './keys.ts';
import { segmentBytesMean, segmentEntriesMean, segmentMovesMax } from './limits.ts';
import type { TransactionAnswer } from './member.ts';
import { OpenSegmentCache } from './open-segment.ts';
import { type ConsulOptions, formatConsulUrl } from './options.ts';
import { readFenced } from './reads.ts';
import { markBytes } from './segment.ts';
import { refusePosition, Tail, type TailPorts } from './tail.ts';
import {
  appendOperations,
  damaged,
  findKey,
  headOf,
  type LogScope,
  type OpenSegment,
  parsePosition,
  positionById,
  refusalOf,
  toPosition,
  writtenOnce,
} from './transactions.ts';

interface OpenedLog {
  readonly scope: LogScope;
  readonly segments: OpenSegmentCache;
}

/** What tests put something else in place of. */
export interface ConsulEventLogParts {
  readonly openChannel: OpenChannel;
  readonly segmentEntriesMean: number;
}

export class ConsulEventLog implements EventLog {
  readonly url: string;
  readonly #ports: TailPorts;
  readonly #place: PlaceKeys;
  readonly #connection: Connection;
  readonly #segmentEntriesMean: number;
  readonly #life = cancelScope();
  /** Set once opened. */
  #log: OpenedLog | undefined;

  constructor(options: ConsulOptions, ports: TailPorts, parts: Partial<ConsulEventLogParts> = {}) {
    this.url = formatConsulUrl(options);
    this.#ports = ports;
    this.#place = placeKeys(options.prefix);
    this.#connection = new Connection(options, ports.clock, ports.random, parts.openChannel ?? openChannel);
    this.#segmentEntriesMean = parts.segmentEntriesMean ?? segmentEntriesMean;
  }

  get health(): LogHealth {
    return this.#connection.health;
  }

  async open(signal: CancelSignal): Promise<LogId> {
    this.#assertLive();
    using call = this.#call(signal);
    const place = { keys: this.#place, url: this.url };
    try {
      const logId = await openLog(place, this.#connection, this.#ports.random, call.signal);
      this.#log ??= this.#follow(logId);
      return logId;
    } catch (error) {
      if (call.signal.aborted) {
        throw new WeftError(
          'closed',
          `Cannot open the log at ${this.url}: it was cancelled; open it again.`,
          { cause: error },
        );
      }
      throw error instanceof ConsulCallError ? readError(error, 'open the log at', this.url) : error;
    }
  }

  async append(draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    const { scope, segments } = this.#opened();
    if (draft.bytes.length > entryBytesMax) {
      throw new WeftError(
        'too-large',
        `Cannot append an entry of ${draft.bytes.length} bytes: the bound is ${entryBytesMax}; send fewer records at once.`,
      );
    }
    using call = this.#call(signal);
    for (let moves = 0; moves < segmentMovesMax; moves++) {
      const open = await this.#openSegment(segments, call.signal);
      const ending = this.#endsSegment(draft) ? this.#ports.random.hex(markBytes) : undefined;
      const answer = await this.#write(scope, open, draft, ending, call.signal);
      if (answer.type === 'done') {
        const index = indexOf(scope, answer.results);
        if (ending !== undefined) segments.learn({ segment: open.segment + 1, index });
        return toPosition({ index, segment: open.segment, id: draft.id });
      }
      const refusal = refusalOf(answer);
      if (refusal === 'exists') return await this.#existingPosition(scope, draft, call.signal);
      if (refusal === 'occupied')
        throw damaged(this.url, `the key of the entry ${draft.id} was written by something else`);
      segments.forget(open);
    }
    throw new WeftError(
      'store-unreachable',
      `Cannot append to ${this.url}: its segments ended ${segmentMovesMax} times while this tried; try again.`,
    );
  }

  async resolve(ref: EntryRef, signal: CancelSignal): Promise<Position | undefined> {
    const { scope } = this.#opened();
    const key = scope.keys.id(ref);
    const found = await this.#read(scope, key, signal, 'look for an entry in');
    return found === undefined ? undefined : toPosition(positionById(scope, found));
  }

  /** One small key: every append overwrites it, so its modify index is the last entry's. */
  async head(signal: CancelSignal): Promise<Position> {
    const { scope } = this.#opened();
    return toPosition(headOf(scope, await this.#read(scope, scope.keys.head, signal, 'read the head of')));
  }

  async *tail(after: Position, signal: CancelSignal): AsyncGenerator<LogEntry, void, void> {
    const { scope } = this.#opened();
    const start = parsePosition(after) ?? refusePosition(this.url, after);
    using call = this.#call(signal);
    yield* new Tail(scope, this.#connection, this.#ports, start, call.signal).run();
  }

  async close(): Promise<void> {
    this.#life.cancel();
    this.#connection.close();
  }

  #follow(logId: LogId): OpenedLog {
    const scope = { keys: this.#place.of(logId), logId, url: this.url };
    return { scope, segments: new OpenSegmentCache(scope, this.#connection) };
  }

  /** Every segment has the same expected length, whoever writes how much. */
  #endsSegment(draft: EntryDraft): boolean {
    const share = Math.max(1 / this.#segmentEntriesMean, draft.bytes.length / segmentBytesMean);
    return this.#ports.random.unit() < share;
  }

  async #openSegment(segments: OpenSegmentCache, signal: CancelSignal): Promise<OpenSegment> {
    try {
      return await segments.current(signal);
    } catch (error) {
      // Nothing was sent yet that could become an entry.
      throw error instanceof ConsulCallError ? readError(error, 'append to', this.url) : error;
    }
  }

  async #write(
    scope: LogScope,
    open: OpenSegment,
    draft: EntryDraft,
    ending: string | undefined,
    signal: CancelSignal,
  ): Promise<TransactionAnswer> {
    try {
      return await this.#connection.write(appendOperations(scope, open, draft, ending), signal);
    } catch (error) {
      throw error instanceof ConsulCallError ? writeError(error, 'append to', this.url) : error;
    }
  }

  /** @throws WeftError `entry-conflict`, `log-damaged`, `log-mismatch`, `outcome-unknown` */
  async #existingPosition(scope: LogScope, draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    try {
      const key = scope.keys.id(draft);
      const found = findKey(await readFenced(scope, this.#connection, [key], signal), key);
      if (found === undefined) throw damaged(this.url, `the key ${key} was deleted while it was read`);
      const mark = positionById(scope, found);
      const entryKey = scope.keys.entry(mark.segment, draft.id);
      const results = await readFenced(scope, this.#connection, [entryKey], signal);
      const entry = findKey(results, entryKey);
      if (entry === undefined) throw damaged(this.url, `the key ${entryKey} is gone`);
      writtenOnce(scope, entry);
      if (entry.value.equals(draft.bytes)) return toPosition(mark);
    } catch (error) {
      // It is there, but whether with these bytes is not known.
      throw error instanceof ConsulCallError
        ? writeError(new ConsulCallError('broken', error.message), 'append to', this.url)
        : error;
    }
    throw new WeftError(
      'entry-conflict',
      `Cannot append the entry ${draft.id} to ${scope.url}: one with that id and other contents exists; draw a new id.`,
    );
  }

  async #read(
    scope: LogScope,
    key: string,
    signal: CancelSignal,
    what: string,
  ): Promise<StoredKey | undefined> {
    using call = this.#call(signal);
    try {
      return findKey(await readFenced(scope, this.#connection, [key], call.signal), key);
    } catch (error) {
      this.#assertLive();
      throw error instanceof ConsulCallError ? readError(error, what, this.url) : error;
    }
  }

  /** Ends with the caller's signal and with `close`. */
  #call(signal: CancelSignal) {
    const scope = cancelScope(this.#life.signal);
    signal.addEventListener('abort', scope.cancel, { once: true });
    if (signal.aborted) scope.cancel();
    const dispose = () => {
      signal.removeEventListener('abort', scope.cancel);
      scope[Symbol.dispose]();
    };
    return { signal: scope.signal, [Symbol.dispose]: dispose };
  }

  #assertLive(): void {
    if (this.#life.signal.aborted) {
      throw new WeftError('closed', `Cannot use the log at ${this.url}: it is closed; open another.`);
    }
  }

  #opened(): OpenedLog {
    this.#assertLive();
    if (this.#log === undefined) throw new Error('Broken invariant: the log was used before it was opened');
    return this.#log;
  }
}

/** All keys of one transaction have one index: that of the head as well as that of the entry. */
function indexOf(scope: LogScope, results: readonly StoredKey[]): number {
  const head = findKey(results, scope.keys.head);
  if (head === undefined) throw new Error('Broken invariant: Consul left a write out of its answer');
  return head.modifyIndex;
}
