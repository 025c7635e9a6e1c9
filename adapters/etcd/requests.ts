/**
 * Calls on an opened log: each ends with its caller and with `close`, is made under the comparison of the log's identity,
 * and fails with what its error means.
 */
import type { IRequestOp, ITxnRequest, ITxnResponse } from 'etcd3';
import { type CancelScope, cancelScope } from '../../core/lib/cancel-scope.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { closed } from '../log-faults.ts';
import type { Connection } from './connection.ts';
import { asCallError, EtcdCallError, readError, writeError } from './errors.ts';
import type { LogKeys } from './keys.ts';
import { assertFence, fencedRead, type LogScope } from './transactions.ts';

export class Requests {
  readonly #keys: LogKeys;
  readonly #url: string;
  readonly #connection: Connection;
  readonly #life = cancelScope();
  #scope: LogScope | undefined;

  constructor(keys: LogKeys, url: string, connection: Connection) {
    this.#keys = keys;
    this.#url = url;
    this.#connection = connection;
  }

  get isOpened(): boolean {
    return this.#scope !== undefined;
  }

  get isClosed(): boolean {
    return this.#life.signal.aborted;
  }

  /** The identity that every call compares from now on. The first one stays. */
  opened(logId: LogId): void {
    this.#scope ??= { keys: this.#keys, logId, url: this.#url };
  }

  close(): void {
    this.#life.cancel();
  }

  /** @throws WeftError `closed` */
  assertLive(): void {
    if (this.isClosed) throw closed(this.#url);
  }

  /** @throws WeftError `closed` */
  scope(): LogScope {
    this.assertLive();
    if (this.#scope === undefined) throw new Error('Broken invariant: the log was used before it was opened');
    return this.#scope;
  }

  /** Ends with the caller's signal and with `close`. */
  call(signal: CancelSignal): CancelScope {
    return cancelScope(this.#life.signal, signal);
  }

  /**
   * Reads, all at one revision.
   *
   * @param what for the message: `read the head of`
   * @throws WeftError `closed`, `log-mismatch`, `store-unreachable`, `store-auth`
   */
  async read(ops: readonly IRequestOp[], signal: CancelSignal, what: string): Promise<ITxnResponse> {
    const scope = this.scope();
    using call = this.call(signal);
    try {
      const answer = await this.#connection.read(fencedRead(scope, ops), call.signal);
      assertFence(scope, answer);
      return answer;
    } catch (error) {
      this.assertLive();
      throw error instanceof EtcdCallError ? readError(error, what, this.#url) : error;
    }
  }

  /**
   * Sends a transaction that may be repeated, once.
   *
   * @throws WeftError `closed`, `store-unreachable`, `store-auth`, `store-full`, `too-large`; `outcome-unknown` where it may
   *   have been carried out, also when the log is closed over it
   */
  async write(request: ITxnRequest, signal: CancelSignal, what: string): Promise<ITxnResponse> {
    this.scope();
    using call = this.call(signal);
    try {
      return await this.#connection.write(request, call.signal);
    } catch (thrown) {
      throw writeError(asCallError(thrown), what, this.#url);
    }
  }
}
