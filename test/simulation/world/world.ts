/** What every part of a simulated cluster shares: time, chance, the trace, the counts, and the first violation. */
import type { Phase } from '../../../core/controller/control.ts';
import type { Fold } from '../../../core/controller/fold-entries.ts';
import { apply } from '../../../core/fold/apply.ts';
import type { Violation } from '../monitors/violation.ts';
import type { Doing, Fate, FateOf } from '../scenario/intervention.ts';
import { Script } from '../scenario/script.ts';
import { Chance } from './chance.ts';
import type { Plan } from './plan.ts';
import { Scheduler } from './scheduler.ts';
import { SharedFold } from './shared-fold.ts';
import { Tally } from './tally.ts';
import type { Trace } from './trace.ts';

/** Faults on; faults healed, all must come right; a fresh replica; the store is lost. */
export type SimulationPhase = 'safety' | 'liveness' | 'audit' | 'ending' | 'reseed';

/** Of so many seeds one has hosts that fold for themselves. */
const ownFoldSeeds = 8;

export class World {
  readonly seed: number;
  readonly plan: Plan;
  readonly trace: Trace;
  readonly tally = new Tally();
  readonly scheduler: Scheduler;
  readonly fold: Fold;
  readonly script: Script;
  phase: SimulationPhase = 'safety';
  /** All faults are healed, and what came of them is over: what goes wrong now has no excuse. */
  isCalm = false;
  #violation: Violation | undefined;

  /** @param script what is done to it beside what the plan draws */
  constructor(seed: number, plan: Plan, trace: Trace, script: Script = new Script()) {
    this.seed = seed;
    this.plan = plan;
    this.fold = seed % ownFoldSeeds === 0 ? apply : new SharedFold().apply;
    this.trace = trace;
    this.script = script;
    this.scheduler = new Scheduler(() => this.#stopAtViolation());
  }

  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  /** Faults happen: it is their phase. */
  get isFaulty(): boolean {
    return this.phase === 'safety';
  }

  /** The store is lost, or was: hosts may say so. */
  get isLost(): boolean {
    return this.phase === 'ending' || this.phase === 'reseed';
  }

  chance(stream: string): Chance {
    return new Chance(this.seed, stream, () => this.nowMs);
  }

  /** Something was done from outside. */
  record(who: string, doing: Doing): void {
    this.script.record(this.nowMs, who, doing);
  }

  /** What becomes of a message. @param draw where nothing is written for it */
  fateOf<V extends Fate['verb']>(
    who: string,
    verb: V,
    draw: () => FateOf<V> | undefined,
  ): FateOf<V> | undefined {
    return this.script.fateOf(this.nowMs, who, verb, draw);
  }

  note(who: string, what: string): void {
    this.trace.add(this.nowMs, who, what);
  }

  /** Something that some life must have met, or the whole run is vacuous. @param where of a process's life it was */
  met(what: string, where?: Phase): void {
    this.tally.add(`met:${what}`);
    if (where !== undefined) this.tally.add(`met:${what} while ${where}`);
  }

  /** An invariant was looked at and held. */
  checked(invariant: string): void {
    this.tally.add(`checked:${invariant}`);
  }

  /** Ends the run after the present step. Only the first one counts: the rest may follow from it. */
  fail(violation: Violation): void {
    if (this.#violation === undefined) this.note('monitor', `VIOLATION ${violation.message}`);
    this.#violation ??= violation;
  }

  #stopAtViolation(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  /** Runs until a promise is settled, for so long at most. */
  async drive<T>(promise: Promise<T>, limitMs: number): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.scheduler.runUntil(this.nowMs + limitMs, () => settled);
    this.#stopAtViolation();
    if (!settled) throw new Error(`Nothing came of it within ${limitMs} ms of virtual time`);
    return promise;
  }
}
