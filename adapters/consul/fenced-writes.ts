/**
 * Writes beside the log, whatever is there: each on condition of the log's identity, by the index of its key, so that
 * nothing is written beside another log.
 */
import { WeftError } from '../../core/errors.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Calls } from './calls.ts';
import type { KvOperation } from './channel.ts';
import type { Connection } from './connection.ts';
import { identityTriesMax } from './limits.ts';
import { readFenced } from './reads.ts';
import { findKey, type LogScope } from './transactions.ts';

export class FencedWrites {
  readonly #calls: Calls;
  readonly #connection: Connection;
  readonly #opened: () => LogScope;
  /** Modify index of the identity's key, once read: it is written once. */
  #identity: number | undefined;

  /** @param opened the log; throws where it is not open */
  constructor(calls: Calls, connection: Connection, opened: () => LogScope) {
    this.#calls = calls;
    this.#connection = connection;
    this.#opened = opened;
  }

  /** @param what as in "Cannot … URL" @throws WeftError `log-mismatch`, `store-unreachable`, `store-auth`, `outcome-unknown` */
  async write(what: string, operation: KvOperation, signal: CancelSignal): Promise<void> {
    const { keys } = this.#opened();
    for (let tries = 0; tries < identityTriesMax; tries += 1) {
      const index = this.#identity ?? (await this.#readIdentity(what, signal));
      const fence: KvOperation = { Verb: 'check-index', Key: keys.identity, Index: index };
      const answer = await this.#calls.write(what, signal, (live) =>
        this.#connection.repeat([fence, operation], live),
      );
      if (answer.type === 'done') return;
      this.#identity = undefined;
    }
    throw new WeftError(
      'store-unreachable',
      `Cannot ${what} ${this.#calls.url}: the log's identity was written anew while this tried; try again.`,
    );
  }

  /** @throws WeftError `log-mismatch`, `store-unreachable`, `store-auth`: nothing was written */
  async #readIdentity(what: string, signal: CancelSignal): Promise<number> {
    const scope = this.#opened();
    const found = await this.#calls.read(what, signal, (live) =>
      readFenced(scope, this.#connection, [], live),
    );
    const index = findKey(found, scope.keys.identity)?.modifyIndex;
    if (index === undefined) throw new Error('Broken invariant: a read was believed without the identity');
    this.#identity = index;
    return index;
  }
}
