/**
 * What the calls of one handle have in common: they end with the caller's signal and with `close`, they are refused once it
 * is closed, and what failed is told as the port has it.
 */
import { type CancelScope, cancelScope } from '../../core/lib/cancel-scope.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { closed } from '../log-faults.ts';
import { ConsulCallError, readError, writeError } from './errors.ts';

/** Carries out what a call consists of. @throws ConsulCallError, WeftError */
export type Work<T> = (signal: CancelSignal) => Promise<T>;

export class Calls {
  /** The store's, for messages. */
  readonly url: string;
  readonly #life = cancelScope();

  constructor(url: string) {
    this.url = url;
  }

  /** Ends with the caller's signal and with `end`. */
  begin(signal: CancelSignal): CancelScope {
    return cancelScope(this.#life.signal, signal);
  }

  /** Only reads. @param what as in "Cannot … URL" @throws WeftError */
  async read<T>(what: string, signal: CancelSignal, work: Work<T>): Promise<T> {
    using call = this.begin(signal);
    try {
      return await work(call.signal);
    } catch (error) {
      this.assertLive();
      throw error instanceof ConsulCallError ? readError(error, what, this.url) : error;
    }
  }

  /** May change something. @param what as in "Cannot … URL" @throws WeftError */
  async write<T>(what: string, signal: CancelSignal, work: Work<T>): Promise<T> {
    using call = this.begin(signal);
    try {
      return await work(call.signal);
    } catch (error) {
      throw error instanceof ConsulCallError ? writeError(error, what, this.url) : error;
    }
  }

  /** @throws WeftError `closed` */
  assertLive(): void {
    if (this.#life.signal.aborted) throw closed(this.url);
  }

  end(): void {
    this.#life.cancel();
  }
}
