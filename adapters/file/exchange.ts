/** What every call of a handle has in common: it ends with its caller and with the handle, and keeps the health. */
import { isWeftError, type WeftError } from '../../core/errors.ts';
import { type CancelScope, cancelScope } from '../../core/lib/cancel-scope.ts';
import type { LogHealth } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { closedError, notSentError } from './errors.ts';

/** Work that may be given up before it calls `onSend`; from then on its outcome is unknown to who gave it up. */
export type Work<T> = (signal: CancelSignal, onSend: () => void) => Promise<T>;

export class Exchanges {
  readonly #directory: string;
  readonly #scope: CancelScope = cancelScope();
  #health: LogHealth = { reachable: true };

  constructor(directory: string) {
    this.#directory = directory;
  }

  get health(): LogHealth {
    return this.#health;
  }

  get isClosed(): boolean {
    return this.#scope.signal.aborted;
  }

  /** Every call under way is given up; those to come throw `closed`. */
  close(): void {
    this.#scope.cancel();
  }

  /** @throws WeftError `closed` */
  checkOpen(): void {
    if (this.isClosed) throw closedError(this.#directory);
  }

  /** Aborts with the caller's signal and with the handle. */
  cancelledWith(signal: CancelSignal): CancelScope {
    const scope = cancelScope(this.#scope.signal);
    const follow = (): void => scope.cancel();
    if (signal.aborted) scope.cancel();
    signal.addEventListener('abort', follow, { once: true });
    scope.signal.addEventListener('abort', () => signal.removeEventListener('abort', follow), { once: true });
    return scope;
  }

  /**
   * Answers promptly when it is given up, however long the work goes on.
   *
   * @param unknown the error when it is given up after it was sent
   * @throws WeftError `closed`, or `store-unreachable`, when it is given up before that
   */
  async run<T>(signal: CancelSignal, work: Work<T>, unknown: () => WeftError): Promise<T> {
    this.checkOpen();
    using scope = this.cancelledWith(signal);
    let isSent = false;
    const done = work(scope.signal, () => {
      isSent = true;
    });
    const gaveUp = cancelled(scope.signal).then(() => {
      if (isSent) throw unknown();
      throw this.isClosed ? closedError(this.#directory) : notSentError(this.#directory, 'it was cancelled');
    });
    return await this.watched(Promise.race([done, gaveUp]));
  }

  /** Keeps the health by how an exchange with the file system ended. */
  async watched<T>(exchange: Promise<T>): Promise<T> {
    try {
      const result = await exchange;
      this.#health = { reachable: true };
      return result;
    } catch (error) {
      const isTrouble = isPassing(error) && error.details['cancelled'] !== true;
      if (isTrouble) this.#health = { reachable: false, reason: error.message };
      throw error;
    }
  }
}

/** Trouble that a tail waits out. */
export function isPassing(error: unknown): error is WeftError {
  return (
    isWeftError(error, 'store-unreachable') ||
    isWeftError(error, 'permission-denied') ||
    isWeftError(error, 'store-full')
  );
}

function cancelled(signal: CancelSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
