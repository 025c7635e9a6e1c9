/** Those who wait for objects to be in order in the kernel. */
import { WeftError } from '../errors.ts';
import type { CancelSignal } from '../ports/cancel.ts';

interface Waiter {
  readonly missing: Set<string>;
  resolve(): void;
  reject(error: WeftError): void;
}

export class Settlements {
  readonly #byKey = new Map<string, Set<Waiter>>();

  get keys(): Iterable<string> {
    return [...this.#byKey.keys()];
  }

  /**
   * Resolves once every key has been settled. Rejects with the error given to `fail` for one of them, and with WeftError
   * `closed` when `signal` aborts.
   */
  wait(keys: ReadonlySet<string>, signal: CancelSignal): Promise<void> {
    if (keys.size === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = (): void =>
        waiter.reject(new WeftError('closed', 'Nobody waits for the kernel any more'));
      const end = (finish: () => void): void => {
        signal.removeEventListener('abort', onAbort);
        this.#forget(waiter);
        finish();
      };
      const waiter: Waiter = {
        missing: new Set(keys),
        resolve: () => end(resolve),
        reject: (error) => end(() => reject(error)),
      };
      for (const key of keys) this.#add(key, waiter);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  settle(key: string): void {
    const waiters = this.#byKey.get(key);
    if (waiters === undefined) return;
    this.#byKey.delete(key);
    for (const waiter of waiters) {
      waiter.missing.delete(key);
      if (waiter.missing.size === 0) waiter.resolve();
    }
  }

  fail(key: string, error: WeftError): void {
    for (const waiter of [...(this.#byKey.get(key) ?? [])]) waiter.reject(error);
  }

  failAll(error: WeftError): void {
    for (const key of this.keys) this.fail(key, error);
  }

  #add(key: string, waiter: Waiter): void {
    const waiters = this.#byKey.get(key);
    if (waiters === undefined) this.#byKey.set(key, new Set([waiter]));
    else waiters.add(waiter);
  }

  #forget(waiter: Waiter): void {
    for (const key of waiter.missing) {
      const waiters = this.#byKey.get(key);
      waiters?.delete(waiter);
      if (waiters?.size === 0) this.#byKey.delete(key);
    }
  }
}
