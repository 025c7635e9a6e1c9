/** Time that stands still until a test moves it. Sleeps end in the order of their ends, then of their beginnings. */
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';

interface Sleep {
  readonly endMs: number;
  readonly wake: () => void;
}

/** Chains of promises that no test exceeds between two moments of virtual time. */
const turnsMax = 200;

export class VirtualClock implements Clock {
  #nowMs = 0;
  #sleeps: Sleep[] = [];

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** Sleeps that have not ended. */
  get sleeping(): number {
    return this.#sleeps.length;
  }

  sleep(ms: number, signal?: CancelSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleeps = this.#sleeps.filter((other) => other !== sleep);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleep = { endMs: this.#nowMs + Math.max(ms, 0), wake };
      this.#sleeps.push(sleep);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Lets everything run that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < turnsMax; turn++) await Promise.resolve();
  }

  /** Moves time on, letting everything run at each moment on the way. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.settle();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.endMs > endMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.endMs);
      next.wake();
      await this.settle();
    }
    this.#nowMs = endMs;
  }

  #next(): Sleep | undefined {
    let next: Sleep | undefined;
    for (const sleep of this.#sleeps) if (next === undefined || sleep.endMs < next.endMs) next = sleep;
    return next;
  }
}
