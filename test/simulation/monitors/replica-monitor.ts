/** One process's fold against the truth: no gap, no repetition, the same bytes, the same hashes, the same decisions. */
import type { Step } from '../../../core/controller/control.ts';
import type { World } from '../world/world.ts';
import type { Truth } from './truth.ts';
import { Violation } from './violation.ts';

export class ReplicaMonitor {
  readonly #world: World;
  readonly #truth: Truth;
  readonly #who: string;
  #ordinal = 0;

  constructor(world: World, truth: Truth, who: string) {
    this.#world = world;
    this.#truth = truth;
    this.#who = who;
  }

  take(step: Step): void {
    const { ordinal } = step.outcome;
    // One that begins from a snapshot, or leaps to one, tells of no records up to there; its hashes tell whether it may.
    if (ordinal <= this.#ordinal) this.#fail('I3', `applied ${ordinal} after ${this.#ordinal}`);
    if (ordinal > this.#ordinal + 1)
      this.#world.met(this.#ordinal === 0 ? 'beginning from a snapshot' : 'leap');
    this.#ordinal = ordinal;
    const truth = this.#truth.steps[ordinal - 1];
    if (truth === undefined) return this.#fail('I1', `applied ${ordinal}, which the log does not have`);
    if (truth.state.recordHash !== step.state.recordHash) this.#fail('I4', `other bytes up to ${ordinal}`);
    if (truth.state.stateHash !== step.state.stateHash) this.#fail('I9', `another state at ${ordinal}`);
    if (!sameOutcome(truth.outcome, step.outcome)) this.#fail('I12', `another decision on ${ordinal}`);
    for (const invariant of ['I1', 'I3', 'I4', 'I5', 'I9']) this.#world.checked(invariant);
    if (step.record === undefined) this.#world.checked('I8');
  }

  #fail(invariant: string, seen: string): void {
    this.#world.fail(new Violation(invariant, `${this.#who} ${seen}`));
  }
}

function sameOutcome(a: Step['outcome'], b: Step['outcome']): boolean {
  if (a.accepted || b.accepted) return a.accepted === b.accepted && a.record === b.record;
  return a.code === b.code && a.message === b.message && a.record === b.record;
}
