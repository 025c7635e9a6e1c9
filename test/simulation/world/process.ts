/** One life of a host's daemon, as the scheduler knows it: it may be paused, and it may be killed at any step. */
import type { Owner, Scheduler, Task } from './scheduler.ts';

export class Process implements Owner {
  readonly name: string;
  dead = false;
  held: Task[] | undefined;
  /** What the kernel does for it when it dies: locks are let go. */
  onDeath: (() => void) | undefined;
  readonly #scheduler: Scheduler;

  constructor(name: string, scheduler: Scheduler) {
    this.name = name;
    this.#scheduler = scheduler;
  }

  get paused(): boolean {
    return this.held !== undefined;
  }

  pause(): void {
    this.held ??= [];
  }

  resume(): void {
    const tasks = this.held ?? [];
    this.held = undefined;
    this.#scheduler.release(tasks.filter(({ cancelled }) => !cancelled));
  }

  /** Whatever it was waiting for never comes, and nobody hears of it. */
  kill(): void {
    this.dead = true;
    this.held = undefined;
    this.onDeath?.();
  }
}
