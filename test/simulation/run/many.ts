/** Many seeds in child processes, as many at once as there are cores; stops at the first failure, unless it is told to go on. */
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { StoreStyle } from '../store/traps.ts';
import type { Result } from './simulation.ts';
import type { Answer, Order } from './worker.ts';

/** Real time after which a seed counts as hanging: lives take less than ten seconds, whatever is in them. */
export const hangMsMax = 180_000;
/** Failures after which a run ends that goes on behind them: more of them say no more. */
const failuresMax = 100;

export interface Failure {
  readonly seed: number;
  readonly error: string;
  readonly invariant: string;
  /** What had happened until then, as text; absent where the process hung or ended. */
  readonly scenario?: string;
}

export type Surroundings = Pick<ForkOptions, 'env' | 'execArgv'>;

export interface ManyOptions {
  readonly seeds: Iterable<number>;
  /** Style of the store of all lives, instead of those that the seeds draw. */
  readonly store?: StoreStyle | undefined;
  readonly processes?: number;
  /** Real time after which a seed counts as hanging, where it is to be another. */
  readonly hangMs?: number;
  /** Other surroundings for the children. */
  readonly fork?: Surroundings;
  /** Whether to go on behind a failure. */
  readonly keepsGoing?: boolean;
  onResult(result: Result): void;
  /** Of each at once. */
  onFailure?(failure: Failure): void;
}

/** Runs all of them, or until one fails; the failures, those of lives that were under way then included. */
export async function runMany(options: ManyOptions): Promise<readonly Failure[]> {
  const queue = new SeedQueue(options);
  const count = options.processes ?? availableParallelism();
  await Promise.all(Array.from({ length: count }, () => serve(options, queue)));
  return queue.failures;
}

/** What is still to be lived, and what has failed. */
export class SeedQueue {
  readonly #seeds: Iterator<number>;
  readonly #failuresMax: number;
  readonly #onFailure: ((failure: Failure) => void) | undefined;
  readonly #failures: Failure[] = [];

  constructor({ seeds, keepsGoing, onFailure }: Pick<ManyOptions, 'seeds' | 'keepsGoing' | 'onFailure'>) {
    this.#seeds = seeds[Symbol.iterator]();
    this.#failuresMax = keepsGoing === true ? failuresMax : 1;
    this.#onFailure = onFailure;
  }

  get failures(): readonly Failure[] {
    return this.#failures.toSorted((a, b) => a.seed - b.seed);
  }

  /** At most so many; none where all are lived, or enough have failed. */
  take(count: number): readonly number[] {
    const taken: number[] = [];
    while (taken.length < count && this.#failures.length < this.#failuresMax) {
      const { done, value } = this.#seeds.next();
      if (done === true) break;
      taken.push(value);
    }
    return taken;
  }

  add(failure: Failure): void {
    this.#failures.push(failure);
    this.#onFailure?.(failure);
  }
}

async function serve(options: ManyOptions, queue: SeedQueue): Promise<void> {
  const child = new Child(options.fork, options.hangMs);
  try {
    for (let [seed] = queue.take(1); seed !== undefined; [seed] = queue.take(1)) {
      const answer = await child.ask({ seed, store: options.store });
      if (answer.type === 'failed') queue.add({ ...answer, seed });
      else options.onResult(answer.result);
    }
  } finally {
    child.end();
  }
}

/** A child process that lives what it is asked to, and another one after it where it hangs or ends. */
export class Child {
  readonly #surroundings: Surroundings | undefined;
  readonly #hangMs: number;
  #process: ChildProcess;

  constructor(surroundings: Surroundings | undefined, hangMs: number = hangMsMax) {
    this.#surroundings = surroundings;
    this.#hangMs = hangMs;
    this.#process = begin(surroundings);
  }

  async ask(order: Order): Promise<Answer> {
    const answer = await ask(this.#process, order, this.#hangMs);
    // It could not even say what had happened until then.
    if (answer.type === 'failed' && answer.scenario === undefined) {
      this.end();
      this.#process = begin(this.#surroundings);
    }
    return answer;
  }

  end(): void {
    this.#process.kill('SIGKILL');
  }
}

/** A child process that lives what it is asked to. Whoever begins it kills it. */
export function begin(surroundings: Surroundings = {}): ChildProcess {
  const path = fileURLToPath(new URL('./worker.js', import.meta.url));
  return fork(path, { serialization: 'advanced', ...surroundings });
}

/** One life. A child that hangs or ends answers nothing more. */
export function ask(child: ChildProcess, order: Order, hangMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const fail = (invariant: string, error: string): void => done({ type: 'failed', invariant, error });
    const watch = setTimeout(() => {
      fail('I40', `I40: the process hangs: no end within ${hangMs} ms`);
    }, hangMs);
    const onExit = (code: number | null, signal: string | null): void => {
      fail('exit', `the process ended with ${code ?? signal}`);
    };
    const done = (answer: Answer): void => {
      clearTimeout(watch);
      child.off('message', done);
      child.off('exit', onExit);
      resolve(answer);
    };
    child.once('message', done);
    child.once('exit', onExit);
    child.send(order, (error) => {
      if (error !== null) fail('exit', `the process takes no orders: ${error.message}`);
    });
  });
}
