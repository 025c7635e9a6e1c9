/**
 * Virtual time, and the order of everything: one queue of tasks for the whole world. A step runs one task and then every
 * promise that it settled, until none is left to run; only then comes the next. So all that a seed's life does follows
 * from the order in which tasks were queued and the times that chance gave them.
 *
 * Vocabulary: the *owner* of a task is the process in which it runs. Tasks of a dead process are never run: its promises
 * stay as they are, for ever. Tasks of a paused one wait.
 */

export interface Owner {
  readonly name: string;
  readonly dead: boolean;
  /** Present while it is paused: what waits to be run. */
  readonly held: Task[] | undefined;
}

export interface Task {
  atMs: number;
  order: number;
  readonly owner: Owner | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

/** Steps between two turns of the event loop, by which unheard rejections come to light. */
const stepsPerTurn = 512;

export class Scheduler {
  nowMs = 0;
  /** Tasks run so far. */
  steps = 0;
  readonly #heap: Task[] = [];
  readonly #afterStep: () => void;
  #order = 0;
  #firstOrder = Number.MIN_SAFE_INTEGER;

  /** @param afterStep may throw, which ends the run */
  constructor(afterStep: () => void) {
    this.#afterStep = afterStep;
  }

  /** Queues a task; those of one moment run in the order in which they were queued. */
  after(delayMs: number, owner: Owner | undefined, run: () => void): Task {
    const atMs = this.nowMs + Math.max(delayMs, 0);
    const task: Task = { atMs, order: this.#order++, owner, run, cancelled: false };
    this.#push(task);
    return task;
  }

  /** Queues a task of nobody that comes before all others of its moment, but for those that were queued so before it. */
  first(delayMs: number, run: () => void): void {
    const atMs = this.nowMs + Math.max(delayMs, 0);
    this.#push({ atMs, order: this.#firstOrder++, owner: undefined, run, cancelled: false });
  }

  /** Runs what is due until that moment, or until `stop` says so. */
  async runUntil(endMs: number, stop: () => boolean = () => false): Promise<void> {
    await drained();
    for (let task = this.#heap[0]; task !== undefined && task.atMs <= endMs; task = this.#heap[0]) {
      if (stop()) return;
      this.#pop();
      if (task.cancelled || task.owner?.dead === true) continue;
      if (task.owner?.held !== undefined) {
        task.owner.held.push(task);
        continue;
      }
      this.nowMs = task.atMs;
      this.steps += 1;
      task.run();
      await drained();
      if (this.steps % stepsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
      this.#afterStep();
    }
    if (!stop()) this.nowMs = Math.max(this.nowMs, endMs);
  }

  /** Queues what a pause held back, in its order. */
  release(tasks: readonly Task[]): void {
    for (const task of tasks) {
      task.atMs = this.nowMs;
      task.order = this.#order++;
      this.#push(task);
    }
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(task);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Task;
      if (!isBefore(task, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Task;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Task, heap[child] as Task)) child += 1;
      if (!isBefore(heap[child] as Task, last)) break;
      heap[at] = heap[child] as Task;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
}

/**
 * Resolves when no promise is left to run. Node runs every microtask before the next tick, however long their chains
 * are, so one tick is enough; it is thirty times as fast as counting turns.
 */
function drained(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
