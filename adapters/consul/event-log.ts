/**
 * The log on Consul (1.8 or newer), contention-free: every entry under its author's own id.
 *
 * An append is one transaction: if the segment is open and the id does not exist, put the entry into the segment. No author
 * races another, and no read precedes a write but after a segment has ended. The order of the log is the order of create
 * indexes, which Consul gives out one a transaction; a position is that index with the entry's segment and id. Keys are in
 * `keys.ts`, transactions in `transactions.ts`, what an error means in `errors.ts`, the tail in `tail.ts`, trimming in
 * `floor.ts` and `trim.ts`, the snapshots beside the log in `snapshots.ts`, the beats in `presence.ts`.
 *
 * Segments are there for the tail, since Consul wakes a reader only with everything under a folder. Which append ends one
 * is drawn by lot: nobody needs to know how many entries it has.
 *
 * Invariants:
 * - Nothing is added to an ended segment, and no key of an entry is written twice: a second version of one is damage
 *   (`log-damaged`), since a host that tails and a host that lists later would see different orders.
 * - Every write names the log's id, and every read that is believed came with it.
 * - An append sends at most one transaction that may be carried out; repeating it is its caller's to decide.
 */

import { WeftError } from '../../core/errors.ts';
import type {
  EntryDraft,
  EntryRef,
  EventLog,
  LogEntry,
  LogHealth,
  Position,
  WithoutLog,
} from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { damaged, openingCancelled, refusePosition, requireEntryFits } from '../log-faults.ts';
import type { StoredKey } from './answers.ts';
import { Calls } from './calls.ts';
import { type OpenChannel, openChannel } from './channel.ts';
import { Connection } from './connection.ts';
import { ConsulCallError, readError, writeError } from './errors.ts';
import { findExisting, readWithFloor } from './existing-entry.ts';
import { FencedWrites } from './fenced-writes.ts';
import { isTrimmed } from './floor.ts';
import { discardLog, openLog } from './identity.ts';
import { type PlaceKeys, placeKeys } from './keys.ts';
import { segmentBytesMean, segmentEntriesMean, segmentMovesMax } from './limits.ts';
import type { TransactionAnswer } from './member.ts';
import { OpenSegmentCache } from './open-segment.ts';
import { type ConsulOptions, formatConsulUrl } from './options.ts';
import { ConsulPresence } from './presence.ts';
import { readFenced } from './reads.ts';
import { markBytes } from './segment.ts';
import { ConsulSnapshots } from './snapshots.ts';
import { Tail, type TailPorts } from './tail.ts';
import {
  appendOperations,
  findKey,
  headOf,
  type LogScope,
  type OpenSegment,
  parsePosition,
  positionById,
  refusalOf,
  toPosition,
} from './transactions.ts';
import { trim } from './trim.ts';

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
  readonly snapshots: ConsulSnapshots;
  readonly presence: ConsulPresence;
  readonly #ports: TailPorts;
  readonly #place: PlaceKeys;
  readonly #connection: Connection;
  readonly #calls: Calls;
  readonly #segmentEntriesMean: number;
  /** Set once opened. */
  #log: OpenedLog | undefined;

  constructor(options: ConsulOptions, ports: TailPorts, parts: Partial<ConsulEventLogParts> = {}) {
    this.url = formatConsulUrl(options);
    this.#ports = ports;
    this.#place = placeKeys(options.prefix);
    this.#connection = new Connection(options, ports.clock, ports.random, parts.openChannel ?? openChannel);
    this.#calls = new Calls(this.url);
    this.#segmentEntriesMean = parts.segmentEntriesMean ?? segmentEntriesMean;
    const opened = (): LogScope => this.#opened().scope;
    const writes = new FencedWrites(this.#calls, this.#connection, opened);
    this.snapshots = new ConsulSnapshots(this.#calls, this.#connection, writes, opened);
    this.presence = new ConsulPresence(this.#calls, this.#connection, writes, opened);
  }

  get health(): LogHealth {
    return this.#connection.health;
  }

  async open(signal: CancelSignal, withoutLog: WithoutLog = 'begin'): Promise<LogId> {
    this.#calls.assertLive();
    using call = this.#calls.begin(signal);
    const place = { keys: this.#place, url: this.url };
    try {
      const logId = await openLog(place, this.#connection, this.#ports.random, withoutLog, call.signal);
      this.#log ??= this.#follow(logId);
      return logId;
    } catch (error) {
      if (call.signal.aborted) throw openingCancelled(this.url, error);
      throw error instanceof ConsulCallError ? readError(error, 'open the log at', this.url) : error;
    }
  }

  async append(draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    const { scope, segments } = this.#opened();
    requireEntryFits(draft.bytes);
    using call = this.#calls.begin(signal);
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
      if (refusal === 'exists') {
        const position = await this.#existingPosition(scope, draft, call.signal);
        if (position !== undefined) return position;
        continue;
      }
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
    const { stored, floor } = await this.#calls.read('look for an entry in', signal, (live) =>
      readWithFloor(scope, this.#connection, key, live),
    );
    const mark = stored === undefined ? undefined : positionById(scope, stored);
    return mark === undefined || isTrimmed(mark, floor) ? undefined : toPosition(mark);
  }

  /** One small key: every append overwrites it, so its modify index is the last entry's. */
  async head(signal: CancelSignal): Promise<Position> {
    const { scope } = this.#opened();
    const { head } = scope.keys;
    const found = await this.#calls.read('read the head of', signal, (live) =>
      readFenced(scope, this.#connection, [head], live),
    );
    return toPosition(headOf(scope, findKey(found, head)));
  }

  async *tail(after: Position, signal: CancelSignal): AsyncGenerator<LogEntry, void, void> {
    const { scope } = this.#opened();
    const start = parsePosition(after) ?? refusePosition(this.url, after);
    using call = this.#calls.begin(signal);
    yield* new Tail(scope, this.#connection, this.#ports, start, call.signal).run();
  }

  async trim(upTo: Position, signal: CancelSignal): Promise<void> {
    const opened = this.#opened();
    const mark = parsePosition(upTo) ?? refusePosition(this.url, upTo);
    const common = { connection: this.#connection, calls: this.#calls };
    await trim({ ...opened, ...this.#ports, ...common }, mark, signal);
  }

  async discard(logId: LogId, signal: CancelSignal): Promise<void> {
    this.#calls.assertLive();
    const place = { keys: this.#place, url: this.url };
    await this.#calls.write('discard the log at', signal, (live) =>
      discardLog(place, this.#connection, logId, live),
    );
  }

  async close(): Promise<void> {
    this.#calls.end();
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

  /**
   * Undefined when it is not in the log any more.
   *
   * @throws WeftError `entry-conflict`, `log-damaged`, `log-mismatch`, `outcome-unknown`
   */
  async #existingPosition(
    scope: LogScope,
    draft: EntryDraft,
    signal: CancelSignal,
  ): Promise<Position | undefined> {
    try {
      return await findExisting(scope, this.#connection, draft, signal);
    } catch (error) {
      // It is there, but whether with these bytes is not known.
      throw error instanceof ConsulCallError
        ? writeError(new ConsulCallError('broken', error.message), 'append to', this.url)
        : error;
    }
  }

  #opened(): OpenedLog {
    this.#calls.assertLive();
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
