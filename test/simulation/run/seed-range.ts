/** Seeds one after the other, until they are all given out or somebody stops it. */
export class SeedRange implements Iterable<number> {
  /** The first that was not given out. */
  next: number;
  readonly #end: number;
  #isStopped = false;

  constructor(from: number, count: number) {
    this.next = from;
    this.#end = from + count;
  }

  /** Not given out. */
  get left(): number {
    return this.#end - this.next;
  }

  /** Stopped before all were given out. */
  get isStopped(): boolean {
    return this.#isStopped && this.left > 0;
  }

  /** No more are given out. */
  stop(): void {
    this.#isStopped = true;
  }

  *[Symbol.iterator](): Iterator<number> {
    while (this.next < this.#end && !this.#isStopped) yield this.next++;
  }
}
