/** Shrinks a life that failed, in child processes on all cores. */
import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parse, print, type Scenario } from '../scenario/scenario.ts';
import { type Shrunk, shrink } from '../scenario/shrink.ts';
import { ask, begin, type Failure, type Surroundings } from './many.ts';
import type { Answer } from './worker.ts';

/** Lives of one shrinking. */
const runsMax = 1_500;
/** Real time of one shrinking, whatever became of it. */
const shrinkMsMax = 600_000;
/** Real time after which a candidate counts as hanging. */
const hangMs = 30_000;

export interface ShrinkingOptions {
  readonly runsMax?: number;
  readonly fork?: Surroundings;
  onSmaller?(scenario: Scenario, runs: number): void;
}

/** @throws Error when the life does not fail again */
export async function shrinkFailure(failure: Failure, options: ShrinkingOptions = {}): Promise<Shrunk> {
  const { invariant, scenario: text } = failure;
  if (text === undefined) throw new Error(`Nothing is known of what happened in seed ${failure.seed}`);
  const { fork, onSmaller } = options;
  const pool = new Pool(invariant, fork);
  try {
    const whole = await pool.fails(parse(text));
    if (whole === undefined) throw new Error(`Seed ${failure.seed} does not break ${invariant} again`);
    const untilMs = performance.now() + shrinkMsMax;
    return await shrink(whole, {
      fails: (candidate) => pool.fails(candidate),
      parallel: availableParallelism(),
      runsMax: options.runsMax ?? runsMax,
      isLate: () => performance.now() > untilMs,
      ...(onSmaller === undefined ? {} : { onSmaller }),
    });
  } finally {
    pool.close();
  }
}

/** Idle children, of which there are never more than candidates at a time. */
class Pool {
  readonly #invariant: string;
  readonly #fork: Surroundings | undefined;
  readonly #idle: ChildProcess[] = [];

  constructor(invariant: string, surroundings: Surroundings | undefined) {
    this.#invariant = invariant;
    this.#fork = surroundings;
  }

  /** What came about in it, where it breaks the same invariant. */
  async fails(candidate: Scenario): Promise<Scenario | undefined> {
    const used = this.#idle.pop();
    const answer = await this.#live(candidate, used ?? begin(this.#fork));
    // What an earlier life left behind may end a process late; that says nothing of this one.
    const isEnded = used !== undefined && answer.type === 'failed' && answer.scenario === undefined;
    return this.#judge(candidate, isEnded ? await this.#live(candidate, begin(this.#fork)) : answer);
  }

  async #live(candidate: Scenario, child: ChildProcess): Promise<Answer> {
    const answer = await ask(child, { scenario: print(candidate) }, hangMs);
    if (answer.type === 'failed' && answer.scenario === undefined) child.kill('SIGKILL');
    else this.#idle.push(child);
    return answer;
  }

  #judge(candidate: Scenario, answer: Answer): Scenario | undefined {
    if (answer.type === 'passed' || answer.invariant !== this.#invariant) return undefined;
    return answer.scenario === undefined ? candidate : parse(answer.scenario);
  }

  close(): void {
    for (const child of this.#idle) child.kill('SIGKILL');
  }
}
