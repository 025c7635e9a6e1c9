/**
 * A coalescing wake-up: any number of `notify` calls before or during a wait end one wait. Carries no data; whoever is
 * woken looks for itself, so a wake-up too many costs a look and none is ever lost.
 */
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import { cancelScope } from './cancel-scope.ts';

export class Wake {
  #pending = false;
  #end: (() => void) | undefined;

  notify(): void {
    this.#pending = true;
    this.#end?.();
  }

  /** Resolves when notified (also if that was before the call), after `ms`, or when `signal` aborts. One waiter at a time. */
  async wait(clock: Clock, ms: number, signal: CancelSignal): Promise<void> {
    using scope = cancelScope(signal);
    this.#end = scope.cancel;
    if (!this.#pending) await clock.sleep(ms, scope.signal);
    this.#end = undefined;
    this.#pending = false;
  }
}
