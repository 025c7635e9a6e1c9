/** The open segment as this process last saw it, so that an append need not read before it writes. */
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Connection } from './connection.ts';
import { readFenced } from './reads.ts';
import { findKey, type LogScope, type OpenSegment, openSegmentOf } from './transactions.ts';

export class OpenSegmentCache {
  readonly #scope: LogScope;
  readonly #connection: Connection;
  #known: OpenSegment | undefined;

  constructor(scope: LogScope, connection: Connection) {
    this.#scope = scope;
    this.#connection = connection;
  }

  /** @throws ConsulCallError; WeftError `log-mismatch`, `log-damaged` */
  async current(signal: CancelSignal): Promise<OpenSegment> {
    if (this.#known !== undefined) return this.#known;
    const { keys } = this.#scope;
    const results = await readFenced(this.#scope, this.#connection, [keys.open], signal);
    this.learn(openSegmentOf(this.#scope, findKey(results, keys.open)));
    return this.#known ?? openSegmentOf(this.#scope, undefined);
  }

  /** Another segment was begun. */
  learn(open: OpenSegment): void {
    if (this.#known === undefined || open.index > this.#known.index) this.#known = open;
  }

  /** The segment has been found ended. Whoever asked meanwhile may know better already. */
  forget(open: OpenSegment): void {
    if (this.#known?.index === open.index) this.#known = undefined;
  }
}
