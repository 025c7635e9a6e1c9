/**
 * The log on etcd (3.4 or newer), contention-free: every entry under its author's own key.
 *
 * An append is one transaction: if the store holds our log and the key does not exist, put it. No author races another,
 * and no read precedes a write. The order of the log is the order of create revisions, which etcd gives out one a
 * transaction; a position is that revision with the entry's id. Keys are in `keys.ts`, requests in `transactions.ts`, what
 * an error means in `errors.ts`, the tail in `tail.ts`.
 *
 * Invariants:
 * - A key of the log is written once. A second version of it is damage (`log-damaged`), since a host that tails and a host
 *   that lists later would see different orders.
 * - Every write and every read that is believed was made under the comparison of the log's identity.
 * - An append sends at most one transaction that may be carried out; repeating it is its caller's to decide.
 * - What lies at or behind the floor (floor.ts) is no part of the log, whether it was deleted yet (trim.ts) or not.
 *
 * Nothing here compacts etcd's history, which is the whole cluster's: see trim.ts. Snapshots are in snapshots.ts, beats in
 * presence.ts.
 */

import type { ITxnResponse } from 'etcd3';
import { isWeftError, type WeftError } from '../../core/errors.ts';
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
import { conflict, openingCancelled, refusePosition, requireEntryFits } from '../log-faults.ts';
import { type OpenChannel, openChannel } from './channel.ts';
import { Connection } from './connection.ts';
import { asCallError, EtcdCallError, judge, readError, writeError } from './errors.ts';
import { floorOf } from './floor.ts';
import { discardLog, openLog } from './identity.ts';
import { type LogKeys, logKeys } from './keys.ts';
import { type EtcdOptions, formatEtcdUrl } from './options.ts';
import { EtcdPresence } from './presence.ts';
import { Requests } from './requests.ts';
import { warnOfServerVersion } from './server-version.ts';
import { EtcdSnapshots } from './snapshots.ts';
import { Tail, type TailPorts } from './tail.ts';
import {
  appendRequest,
  assertIdentity,
  deleteRequest,
  type EntryMark,
  entryRevision,
  headOf,
  kvsOf,
  type LogScope,
  parsePosition,
  readKey,
  revisionOf,
  toPosition,
} from './transactions.ts';
import { Trimming } from './trim.ts';

/** What tests put in the place of the network. */
export interface EtcdEventLogParts {
  readonly openChannel: OpenChannel;
}

export class EtcdEventLog implements EventLog {
  readonly url: string;
  readonly snapshots: EtcdSnapshots;
  readonly presence: EtcdPresence;
  readonly #ports: TailPorts;
  readonly #keys: LogKeys;
  readonly #connection: Connection;
  readonly #requests: Requests;
  #trimming: Trimming | undefined;

  constructor(options: EtcdOptions, ports: TailPorts, parts: EtcdEventLogParts = { openChannel }) {
    this.url = formatEtcdUrl(options);
    this.#ports = ports;
    this.#keys = logKeys(options.prefix);
    this.#connection = new Connection(options, ports.clock, ports.random, parts.openChannel);
    this.#requests = new Requests(this.#keys, this.url, this.#connection);
    this.snapshots = new EtcdSnapshots(this.#keys, this.#requests);
    this.presence = new EtcdPresence(this.#keys, this.#requests);
  }

  get health(): LogHealth {
    return this.#connection.health;
  }

  async open(signal: CancelSignal, withoutLog: WithoutLog = 'begin'): Promise<LogId> {
    this.#requests.assertLive();
    using call = this.#requests.call(signal);
    const place = { keys: this.#keys, url: this.url };
    try {
      const logId = await openLog(place, this.#connection, this.#ports.random, withoutLog, call.signal);
      if (!this.#requests.isOpened)
        await warnOfServerVersion(this.#connection, this.#ports.logger, call.signal);
      this.#requests.opened(logId);
      return logId;
    } catch (error) {
      if (call.signal.aborted) throw openingCancelled(this.url, error);
      throw error instanceof EtcdCallError ? readError(error, 'open the log at', this.url) : error;
    }
  }

  async append(draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    const scope = this.#requests.scope();
    requireEntryFits(draft.bytes);
    using call = this.#requests.call(signal);
    for (;;) {
      const answer = await this.#sendAppend(scope, draft, call.signal);
      if (typeof answer === 'string') return answer;
      if (answer.succeeded) return toPosition(revisionOf(answer), draft.id);
      const existing = existingPosition(scope, draft, answer);
      if (existing.type === 'entry') return existing.position;
      await this.#deleteTrimmed(scope, draft, existing.floor, call.signal);
    }
  }

  async resolve(ref: EntryRef, signal: CancelSignal): Promise<Position | undefined> {
    const scope = this.#requests.scope();
    const ops = [readKey(this.#keys.entry(ref)), readKey(this.#keys.floor)];
    const answer = await this.#requests.read(ops, signal, 'look for an entry in');
    const kv = kvsOf(answer, 0)[0];
    if (kv === undefined) return undefined;
    const revision = entryRevision(scope, kv);
    return revision <= floorOf(scope, kvsOf(answer, 1)[0]).revision
      ? undefined
      : toPosition(revision, ref.id);
  }

  /** One small key: every append overwrites it, so its mod revision is the last entry's position. */
  async head(signal: CancelSignal): Promise<Position> {
    const scope = this.#requests.scope();
    const answer = await this.#requests.read([readKey(this.#keys.head)], signal, 'read the head of');
    return headOf(scope, kvsOf(answer, 0)[0]).position;
  }

  async *tail(after: Position, signal: CancelSignal): AsyncGenerator<LogEntry, void, void> {
    const scope = this.#requests.scope();
    const start = parsePosition(after) ?? refusePosition(this.url, after);
    using call = this.#requests.call(signal);
    yield* new Tail(scope, this.#connection, this.#ports, start, call.signal).run();
  }

  async trim(upTo: Position, signal: CancelSignal): Promise<void> {
    this.#requests.assertLive();
    this.#trimming ??= new Trimming(this.#requests, this.#connection, this.#ports.logger);
    await this.#trimming.trim(upTo, signal);
  }

  async discard(logId: LogId, signal: CancelSignal): Promise<void> {
    this.#requests.assertLive();
    using call = this.#requests.call(signal);
    try {
      await discardLog({ keys: this.#keys, url: this.url }, this.#connection, logId, call.signal);
    } catch (error) {
      throw error instanceof EtcdCallError ? writeError(error, 'discard the log at', this.url) : error;
    }
  }

  async close(): Promise<void> {
    this.#requests.close();
    this.#connection.close();
  }

  /** Sends one transaction; gives its answer, or the position where a refusal turned out to be none. */
  async #sendAppend(
    scope: LogScope,
    draft: EntryDraft,
    signal: CancelSignal,
  ): Promise<ITxnResponse | Position> {
    try {
      return await this.#connection.write(appendRequest(scope, draft, draft.bytes), signal);
    } catch (thrown) {
      return await this.#afterFailedWrite(asCallError(thrown), draft, signal);
    }
  }

  /** What was trimmed and not deleted yet stands in the way of its author's putting it once more. */
  async #deleteTrimmed(
    scope: LogScope,
    draft: EntryDraft,
    floor: EntryMark,
    signal: CancelSignal,
  ): Promise<void> {
    try {
      await this.#connection.read(deleteRequest(scope, [this.#keys.entry(draft)], floor), signal);
    } catch (thrown) {
      // Nothing was appended, whatever became of this.
      if (this.#requests.isClosed) throw this.#unknown(asCallError(thrown));
      throw readError(asCallError(thrown), 'append to', this.url);
    }
  }

  /**
   * A full store is the one refusal that may be no refusal: the member that finds its quota exceeded while applying a
   * transaction carries it out and then answers that there is no space (etcd, `quotaApplierV3`). So the key is read.
   */
  async #afterFailedWrite(error: EtcdCallError, draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    if (this.#requests.isClosed) throw this.#unknown(error);
    if (judge(error) === 'store-full') {
      const position = await this.#positionAfterRefusal(error, draft, signal);
      if (position !== undefined) return position;
    }
    throw writeError(error, 'append to', this.url);
  }

  async #positionAfterRefusal(
    refusal: EtcdCallError,
    draft: EntryDraft,
    signal: CancelSignal,
  ): Promise<Position | undefined> {
    try {
      return await this.resolve(draft, signal);
    } catch (error) {
      if (isWeftError(error, 'log-mismatch') || isWeftError(error, 'log-damaged')) throw error;
      throw this.#unknown(refusal);
    }
  }

  #unknown(error: EtcdCallError): WeftError {
    return writeError(new EtcdCallError('cancelled', error.message), 'append to', this.url);
  }
}

/** What was found under the key of an entry that could not be put. */
type Existing =
  | { readonly type: 'entry'; readonly position: Position }
  /** It was trimmed, up to here, and not deleted yet. */
  | { readonly type: 'trimmed'; readonly floor: EntryMark };

/** @throws WeftError `log-mismatch`, `entry-conflict`, `log-damaged` */
function existingPosition(scope: LogScope, draft: EntryDraft, answer: ITxnResponse): Existing {
  assertIdentity(scope, kvsOf(answer, 0)[0]);
  const kv = kvsOf(answer, 1)[0];
  if (kv === undefined)
    throw new Error('Broken invariant: etcd refused a transaction whose comparisons hold');
  const floor = floorOf(scope, kvsOf(answer, 2)[0]);
  if (Number(kv.create_revision) <= floor.revision) return { type: 'trimmed', floor };
  if (!kv.value.equals(draft.bytes)) {
    throw conflict(scope.url, draft.id);
  }
  return { type: 'entry', position: toPosition(entryRevision(scope, kv), draft.id) };
}
