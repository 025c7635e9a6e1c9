/** The open segment as this process last saw it, so that an append need not read before it writes. */
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Connection } from './connection.ts';
import { readFenced } from './reads.ts';
import { findKey, type LogScope, type OpenSegment, openSegmentOf } from './transactions.ts';

export class OpenSegmentCache {
  readonly #scope: LogScope;
  readonly #connection: Connection;
  #known: OpenSegment | undefined;
  /** A read under way: whoever finds the segment ended at the same time waits for one answer. */
  #reading: Promise<OpenSegment> | undefined;

  constructor(scope: LogScope, connection: Connection) {
    this.#scope = scope;
    this.#connection = connection;
  }

  /** @throws ConsulCallError; WeftError `log-mismatch`, `log-damaged` */
  async current(signal: CancelSignal): Promise<OpenSegment> {
    while (this.#known === undefined) {
      const other = this.#reading;
      if (other === undefined) return await this.#lead(signal);
      // What ended it may be its caller's own wish, so its failure is not ours.
      await other.catch(() => undefined);
    }
    return this.#known;
  }

  /** Another segment was begun. */
  learn(open: OpenSegment): void {
    if (this.#known === undefined || open.index > this.#known.index) this.#known = open;
  }

  /** The segment has been found ended. Whoever asked meanwhile may know better already. */
  forget(open: OpenSegment): void {
    if (this.#known?.index === open.index) this.#known = undefined;
  }

  async #lead(signal: CancelSignal): Promise<OpenSegment> {
    this.#reading = this.#read(signal);
    try {
      return await this.#reading;
    } finally {
      this.#reading = undefined;
    }
  }

  async #read(signal: CancelSignal): Promise<OpenSegment> {
    const { keys } = this.#scope;
    const results = await readFenced(this.#scope, this.#connection, [keys.open], signal);
    const open = openSegmentOf(this.#scope, findKey(results, keys.open));
    this.learn(open);
    return open;
  }
}
