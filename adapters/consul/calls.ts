/**
 * What the calls of one handle have in common: they end with the caller's signal and with `close`, they are refused once it
 * is closed, and what failed is told as the port has it.
 */
import { WeftError } from '../../core/errors.ts';
import { cancelScope } from '../../core/lib/cancel-scope.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { ConsulCallError, readError, writeError } from './errors.ts';

export interface Call extends Disposable {
  readonly signal: CancelSignal;
}

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
  begin(signal: CancelSignal): Call {
    const scope = cancelScope(this.#life.signal);
    signal.addEventListener('abort', scope.cancel, { once: true });
    if (signal.aborted) scope.cancel();
    const dispose = () => {
      signal.removeEventListener('abort', scope.cancel);
      scope[Symbol.dispose]();
    };
    return { signal: scope.signal, [Symbol.dispose]: dispose };
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
    if (this.#life.signal.aborted) {
      throw new WeftError('closed', `Cannot use the log at ${this.url}: it is closed; open another.`);
    }
  }

  end(): void {
    this.#life.cancel();
  }
}
