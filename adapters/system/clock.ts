/** The machine's time. Real sides of the ambient ports live in this folder; core knows only the ports. */
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';

/** Node's timers hold 31 bits of milliseconds; a longer delay would end at once. */
const timerMsMax = 2 ** 31 - 1;

export class SystemClock implements Clock {
  wallMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  async sleep(ms: number, signal?: CancelSignal): Promise<void> {
    const endMs = this.monotonicMs() + ms;
    for (let leftMs = ms; signal?.aborted !== true; leftMs = endMs - this.monotonicMs()) {
      await sleepOnce(Math.min(Math.max(leftMs, 0), timerMsMax), signal);
      if (leftMs <= timerMsMax) return;
    }
  }
}

function sleepOnce(ms: number, signal: CancelSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}
