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
 */
import type { ITxnResponse } from 'etcd3';
import { isWeftError, WeftError } from '../../core/errors.ts';
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
import { type OpenChannel, openChannel } from './channel.ts';
import { Connection } from './connection.ts';
import { asCallError, EtcdCallError, judge, readError, writeError } from './errors.ts';
import { openLog } from './identity.ts';
import { type LogKeys, logKeys } from './keys.ts';
import { type EtcdOptions, formatEtcdUrl } from './options.ts';
import { warnOfServerVersion } from './server-version.ts';
import { refusePosition, Tail, type TailPorts } from './tail.ts';
import {
  appendRequest,
  assertFence,
  assertIdentity,
  entryRevision,
  fencedRead,
  headOf,
  kvsOf,
  type LogScope,
  parsePosition,
  readKey,
  revisionOf,
  toPosition,
} from './transactions.ts';

/** What tests put in the place of the network. */
export interface EtcdEventLogParts {
  readonly openChannel: OpenChannel;
}

export class EtcdEventLog implements EventLog {
  readonly url: string;
  readonly #ports: TailPorts;
  readonly #keys: LogKeys;
  readonly #connection: Connection;
  readonly #life = cancelScope();
  /** Set once opened. */
  #scope: LogScope | undefined;

  constructor(options: EtcdOptions, ports: TailPorts, parts: EtcdEventLogParts = { openChannel }) {
    this.url = formatEtcdUrl(options);
    this.#ports = ports;
    this.#keys = logKeys(options.prefix);
    this.#connection = new Connection(options, ports.clock, ports.random, parts.openChannel);
  }

  get health(): LogHealth {
    return this.#connection.health;
  }

  async open(signal: CancelSignal): Promise<LogId> {
    this.#assertLive();
    using call = this.#call(signal);
    const place = { keys: this.#keys, url: this.url };
    try {
      const logId = await openLog(place, this.#connection, this.#ports.random, call.signal);
      if (this.#scope === undefined)
        await warnOfServerVersion(this.#connection, this.#ports.logger, call.signal);
      this.#scope ??= { keys: this.#keys, logId, url: this.url };
      return logId;
    } catch (error) {
      if (call.signal.aborted) {
        throw new WeftError(
          'closed',
          `Cannot open the log at ${this.url}: it was cancelled; open it again.`,
          { cause: error },
        );
      }
      throw error instanceof EtcdCallError ? readError(error, 'open the log at', this.url) : error;
    }
  }

  async append(draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    const scope = this.#opened();
    if (draft.bytes.length > entryBytesMax) {
      throw new WeftError(
        'too-large',
        `Cannot append an entry of ${draft.bytes.length} bytes: the bound is ${entryBytesMax}; send fewer records at once.`,
      );
    }
    using call = this.#call(signal);
    let answer: ITxnResponse;
    try {
      answer = await this.#connection.write(appendRequest(scope, draft, draft.bytes), call.signal);
    } catch (thrown) {
      return await this.#afterFailedWrite(asCallError(thrown), draft, call.signal);
    }
    if (answer.succeeded) return toPosition(revisionOf(answer), draft.id);
    return existingPosition(scope, draft, answer);
  }

  async resolve(ref: EntryRef, signal: CancelSignal): Promise<Position | undefined> {
    const scope = this.#opened();
    const answer = await this.#read(scope, this.#keys.entry(ref), signal, 'look for an entry in');
    const kv = kvsOf(answer, 0)[0];
    return kv === undefined ? undefined : toPosition(entryRevision(scope, kv), ref.id);
  }

  /** One small key: every append overwrites it, so its mod revision is the last entry's position. */
  async head(signal: CancelSignal): Promise<Position> {
    const scope = this.#opened();
    const answer = await this.#read(scope, this.#keys.head, signal, 'read the head of');
    return headOf(scope, kvsOf(answer, 0)[0]).position;
  }

  async *tail(after: Position, signal: CancelSignal): AsyncGenerator<LogEntry, void, void> {
    const scope = this.#opened();
    const start = parsePosition(after) ?? refusePosition(this.url, after);
    using call = this.#call(signal);
    yield* new Tail(scope, this.#connection, this.#ports, start, call.signal).run();
  }

  async close(): Promise<void> {
    this.#life.cancel();
    this.#connection.close();
  }

  /**
   * A full store is the one refusal that may be no refusal: the member that finds its quota exceeded while applying a
   * transaction carries it out and then answers that there is no space (etcd, `quotaApplierV3`). So the key is read.
   */
  async #afterFailedWrite(error: EtcdCallError, draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    if (this.#life.signal.aborted) throw this.#unknown(error);
    if (judge(error).code === 'store-full') {
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

  async #read(scope: LogScope, key: Buffer, signal: CancelSignal, what: string): Promise<ITxnResponse> {
    using call = this.#call(signal);
    try {
      const answer = await this.#connection.read(fencedRead(scope, [readKey(key)]), call.signal);
      assertFence(scope, answer);
      return answer;
    } catch (error) {
      this.#assertLive();
      throw error instanceof EtcdCallError ? readError(error, what, this.url) : error;
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

  #opened(): LogScope {
    this.#assertLive();
    if (this.#scope === undefined) throw new Error('Broken invariant: the log was used before it was opened');
    return this.#scope;
  }
}

/** @throws WeftError `log-mismatch`, `entry-conflict`, `log-damaged` */
function existingPosition(scope: LogScope, draft: EntryDraft, answer: ITxnResponse): Position {
  assertIdentity(scope, kvsOf(answer, 0)[0]);
  const kv = kvsOf(answer, 1)[0];
  if (kv === undefined)
    throw new Error('Broken invariant: etcd refused a transaction whose comparisons hold');
  if (!kv.value.equals(draft.bytes)) {
    throw new WeftError(
      'entry-conflict',
      `Cannot append the entry ${draft.id} to ${scope.url}: one with that id and other contents exists; draw a new id.`,
    );
  }
  return toPosition(entryRevision(scope, kv), draft.id);
}
