/**
 * Makes a scenario that breaks an invariant as small as it gets, by delta debugging: whatever can be left out, or made
 * plainer, with the same invariant still broken, is. First the setting, then whole kinds of interventions, then those
 * one by one ("ddmin", Zeller and Hildebrandt 2002), then their values.
 *
 * Of several candidates the first in order that fails is taken, and only those up to it are counted. So the result does
 * not depend on how many are tried at once.
 */

import type { Scenario } from './scenario.ts';
import { candidatesOfSetting, kindOf, plainer, without } from './smaller.ts';

export interface ShrinkOptions {
  /** What came about in the life of a candidate, where the same invariant is broken in it. */
  fails(candidate: Scenario): Promise<Scenario | undefined>;
  /** Candidates to be tried at a time. */
  readonly parallel: number;
  /** Lives that may be lived for it. */
  readonly runsMax: number;
  /** Whether to stop for want of real time. */
  isLate(): boolean;
  onSmaller?(scenario: Scenario, runs: number): void;
}

export interface Shrunk {
  readonly scenario: Scenario;
  readonly runs: number;
  /** False where lives or time were used up before nothing more could be left out. */
  readonly isMinimal: boolean;
}

/** @param scenario one that fails */
export async function shrink(scenario: Scenario, options: ShrinkOptions): Promise<Shrunk> {
  return await new Shrinker(scenario, options).run();
}

class Shrinker {
  #scenario: Scenario;
  #runs = 0;
  readonly #options: ShrinkOptions;

  constructor(scenario: Scenario, options: ShrinkOptions) {
    this.#scenario = scenario;
    this.#options = options;
  }

  async run(): Promise<Shrunk> {
    for (let isSmaller = true; isSmaller && !this.#isSpent; ) {
      const before = this.#scenario;
      await this.#whileAny(candidatesOfSetting);
      await this.#kinds();
      await this.#oneByOne();
      await this.#whileAny(candidatesOfSetting);
      await this.#whileAny(plainer);
      isSmaller = this.#scenario !== before;
    }
    return { scenario: this.#scenario, runs: this.#runs, isMinimal: !this.#isSpent };
  }

  get #isSpent(): boolean {
    return this.#runs >= this.#options.runsMax || this.#options.isLate();
  }

  /** One after the other, each from what the ones before it left. */
  async #whileAny(candidatesOf: (scenario: Scenario) => Iterable<Scenario>): Promise<void> {
    for (let from: number | undefined = 0; from !== undefined && !this.#isSpent; ) {
      const taken = await this.#takeFirst([...candidatesOf(this.#scenario)].slice(from));
      from = taken === undefined ? undefined : from + taken;
    }
  }

  async #kinds(): Promise<void> {
    const kinds = new Set(this.#scenario.interventions.map(kindOf));
    for (const kind of kinds) {
      if (this.#isSpent) return;
      await this.#takeFirst([without(this.#scenario, (intervention) => kindOf(intervention) === kind)]);
    }
  }

  async #oneByOne(): Promise<void> {
    for (
      let size = Math.ceil(this.#scenario.interventions.length / 2);
      size >= 1;
      size = Math.floor(size / 2)
    ) {
      // The latest first: what came of it ends with it.
      for (let end = this.#scenario.interventions.length; end > 0 && !this.#isSpent; ) {
        const ends: number[] = [];
        for (let at = end; at > 0 && ends.length < this.#options.parallel; at -= size) ends.push(at);
        const taken = await this.#takeFirst(
          ends.map((at) => without(this.#scenario, (_, index) => index >= at - size && index < at)),
        );
        const next = (ends[taken ?? ends.length - 1] ?? 0) - size;
        end = Math.min(next, this.#scenario.interventions.length);
      }
    }
  }

  /** Takes the first that fails; gives its index. */
  async #takeFirst(candidates: readonly Scenario[]): Promise<number | undefined> {
    const { parallel } = this.#options;
    for (let at = 0; at < candidates.length && !this.#isSpent; at += parallel) {
      const some = candidates.slice(at, at + parallel);
      const found = await Promise.all(some.map((candidate) => this.#options.fails(candidate)));
      const index = found.findIndex((scenario) => scenario !== undefined);
      const scenario = smaller(some[index], found[index]);
      this.#runs += index === -1 ? some.length : index + 1;
      if (scenario !== undefined) {
        this.#scenario = scenario;
        this.#options.onSmaller?.(scenario, this.#runs);
        return at + index;
      }
    }
    return undefined;
  }
}

/** What came about is taken only where it is less than what was written, or it might undo the step. */
function smaller(written: Scenario | undefined, cameAbout: Scenario | undefined): Scenario | undefined {
  if (written === undefined || cameAbout === undefined) return undefined;
  return cameAbout.interventions.length < written.interventions.length ? cameAbout : written;
}
