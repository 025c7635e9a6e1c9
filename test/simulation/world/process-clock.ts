/** A host's own clocks over the world's time: the monotonic one drifts, the wall clock jumps. */
import type { CancelSignal } from '../../../core/ports/cancel.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Process } from './process.ts';
import type { Scheduler } from './scheduler.ts';

/** What belongs to the machine, and outlives the process. */
export interface MachineTime {
  /** Milliseconds of the host in one of the world. */
  readonly rate: number;
  /** What the wall clock is off. */
  wallOffsetMs: number;
}

const beginning = 1_700_000_000_000;

export class ProcessClock implements Clock {
  readonly #scheduler: Scheduler;
  readonly #process: Process;
  readonly #time: MachineTime;

  constructor(scheduler: Scheduler, process: Process, time: MachineTime) {
    this.#scheduler = scheduler;
    this.#process = process;
    this.#time = time;
  }

  wallMs(): number {
    return beginning + this.#scheduler.nowMs + this.#time.wallOffsetMs;
  }

  monotonicMs(): number {
    return this.#scheduler.nowMs * this.#time.rate;
  }

  sleep(ms: number, signal?: CancelSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      if (ms === Number.POSITIVE_INFINITY) {
        signal?.addEventListener('abort', resolve, { once: true });
        return;
      }
      const wake = (): void => {
        task.cancelled = true;
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const task = this.#scheduler.after(ms / this.#time.rate, this.#process, wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }
}
