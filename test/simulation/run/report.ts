/** The sum of many lives, as text. */

import { type StoreStyle, storeStyles } from '../store/traps.ts';
import { hostFaults, kernelFaults, logFaults, requestFaults } from '../world/plan.ts';
import { Tally } from '../world/tally.ts';
import { coveredSeeds, missing, sometimesOf } from './coverage.ts';
import type { Result } from './simulation.ts';

export class Report {
  seeds = 0;
  steps = 0;
  readonly #tally = new Tally();
  readonly #beganAt = performance.now();
  #records = 0;
  #virtualMs = 0;
  readonly #sometimes: readonly string[];

  /** @param store the style of all lives, where it is not drawn */
  constructor(store?: StoreStyle) {
    this.#sometimes = sometimesOf(store === undefined ? storeStyles : [store]);
  }

  add(result: Result): void {
    this.seeds += 1;
    this.steps += result.steps;
    this.#records += result.records;
    this.#virtualMs += result.virtualMs;
    this.#tally.addAll(result.counts);
  }

  /** What must have been met and was not; nothing where the run is too short to tell. */
  get missing(): readonly string[] {
    return this.seeds < coveredSeeds ? [] : missing(this.#sometimes, this.#tally.counts);
  }

  /** One line. */
  get progress(): string {
    const seconds = (performance.now() - this.#beganAt) / 1_000;
    const rate = (count: number): string => (count / seconds).toFixed(count < 10_000 ? 1 : 0);
    return (
      `${this.seeds} seeds in ${seconds.toFixed(0)} s, ${rate(this.seeds)} a second; ${this.steps} steps, ${rate(this.steps)} a second; ` +
      `${this.#records} records; ${(this.#virtualMs / 3_600_000).toFixed(1)} hours of virtual time`
    );
  }

  /** Two lines. */
  get summary(): string {
    const unmet = missing(this.#sometimes, this.#tally.counts);
    const faults = [...this.#tally.counts].filter(([name]) => faultNames.has(name));
    return (
      `${this.progress}\n` +
      `${faults.reduce((sum, [, count]) => sum + count, 0)} faults of ${faults.length} kinds; ` +
      `sometimes: ${this.#sometimes.length - unmet.length} of ${this.#sometimes.length} met`
    );
  }

  get text(): string {
    const lines = [
      this.progress,
      `faults and recoveries: ${this.#counts('met:')}`,
      `invariants evaluated: ${this.#counts('checked:')}`,
    ];
    const unmet = missing(this.#sometimes, this.#tally.counts);
    lines.push(`sometimes: ${this.#sometimes.length - unmet.length} of ${this.#sometimes.length} met`);
    if (unmet.length > 0) lines.push(`never met: ${unmet.join(', ')}`);
    return lines.join('\n');
  }

  #counts(prefix: string): string {
    return [...this.#tally.counts]
      .filter(([name]) => name.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name.slice(prefix.length)} ${count}`)
      .join(', ');
  }
}

/** As `World.met` counts them. */
const faultNames: ReadonlySet<string> = new Set([
  ...requestFaults.map((fault) => `met:request ${fault}`),
  ...logFaults.map((fault) => `met:log ${fault}`),
  ...kernelFaults.map((fault) => `met:kernel ${fault}`),
  ...hostFaults.map((fault) => `met:host ${fault}`),
]);
