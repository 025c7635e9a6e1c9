/** Events on their way to the one watcher. Never full: the fake loses events only when it is told to. */
import type { KernelEvent } from '../../core/dataplane/kernel.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';

export class EventQueue implements AsyncIterableIterator<KernelEvent> {
  #events: KernelEvent[] = [];
  #waiting: ((result: IteratorResult<KernelEvent>) => void) | undefined;
  #ended = false;
  readonly #signal: CancelSignal;
  readonly #onEnd: () => void;
  readonly #end = (): void => this.end();

  constructor(signal: CancelSignal, onEnd: () => void) {
    this.#signal = signal;
    this.#onEnd = onEnd;
    if (signal.aborted) this.end();
    else signal.addEventListener('abort', this.#end, { once: true });
  }

  push(event: KernelEvent): void {
    if (this.#ended) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#events.push(event);
    else waiting({ done: false, value: event });
  }

  /** Drops what has not been taken yet. */
  clear(): void {
    this.#events = [];
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal.removeEventListener('abort', this.#end);
    this.#waiting?.({ done: true, value: undefined });
    this.#waiting = undefined;
    this.#onEnd();
  }

  next(): Promise<IteratorResult<KernelEvent>> {
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<KernelEvent>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
