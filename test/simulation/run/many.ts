/** Many seeds in child processes, as many at once as there are cores; stops at the first failure. */
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { StoreStyle } from '../store/traps.ts';
import type { Result } from './simulation.ts';
import type { Answer, Order } from './worker.ts';

/** Real time after which a seed counts as hanging: lives take less than ten seconds, whatever is in them. */
const hangMsMax = 180_000;

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
  onResult(result: Result): void;
}

/** Runs all of them; the failures of those that were under way when the first one failed. */
export async function runMany(options: ManyOptions): Promise<readonly Failure[]> {
  const seeds = options.seeds[Symbol.iterator]();
  const failures: Failure[] = [];
  const next = (): number | undefined => {
    const { done, value } = seeds.next();
    return done === true || failures.length > 0 ? undefined : value;
  };
  const count = options.processes ?? availableParallelism();
  await Promise.all(Array.from({ length: count }, () => serve(options, next, failures)));
  return failures.sort((a, b) => a.seed - b.seed);
}

async function serve(
  options: ManyOptions,
  next: () => number | undefined,
  failures: Failure[],
): Promise<void> {
  const child = begin(options.fork);
  try {
    for (let seed = next(); seed !== undefined; seed = next()) {
      const answer = await ask(child, { seed, store: options.store }, options.hangMs ?? hangMsMax);
      if (answer.type === 'failed') failures.push({ ...answer, seed });
      else options.onResult(answer.result);
    }
  } finally {
    child.kill('SIGKILL');
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
