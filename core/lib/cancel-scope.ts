/**
 * A cancellation signal of one's own that also follows parents: what AbortController and `AbortSignal.any` are for,
 * without a platform library. Disposing aborts the scope and lets go of the parents.
 */
import type { CancelSignal } from '../ports/cancel.ts';

export interface CancelScope extends Disposable {
  readonly signal: CancelSignal;
  /** Aborts; idempotent. Listeners run at once, in the order in which they were added. */
  cancel(): void;
}

/** Aborts with whichever parent aborts first. */
export function cancelScope(...parents: readonly CancelSignal[]): CancelScope {
  const signal = new ScopeSignal();
  const cancel = (): void => {
    for (const parent of parents) parent.removeEventListener('abort', cancel);
    signal.abort();
  };
  if (parents.some((parent) => parent.aborted)) signal.abort();
  else for (const parent of parents) parent.addEventListener('abort', cancel, { once: true });
  return { signal, cancel, [Symbol.dispose]: cancel };
}

class ScopeSignal implements CancelSignal {
  readonly #listeners = new Set<() => void>();
  #aborted = false;

  get aborted(): boolean {
    return this.#aborted;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.#aborted) this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }
}
