/**
 * A host's way to the store, with what may become of each request on it. It belongs to the machine: a host that starts
 * again has the same one.
 */
import type { Phase } from '../../../core/controller/control.ts';
import type { Chance } from '../world/chance.ts';
import type { RequestFault } from '../world/plan.ts';
import type { World } from '../world/world.ts';

/**
 * `put` is an append to a store that is never full, `write` one that can only be full; `read` may be answered by an old
 * state.
 */
export type Operation = 'open' | 'append' | 'put' | 'write' | 'resolve' | 'head' | 'read';

export class Link {
  readonly chance: Chance;
  readonly #world: World;
  readonly #host: string;
  readonly #fates: Chance;
  readonly #phaseOf: () => Phase | undefined;
  readonly #resets = new Set<() => void>();
  #cutOff: RequestFault | undefined;
  #stalled = false;

  /** @param phaseOf where the process that uses it is in its life */
  constructor(world: World, host: string, phaseOf: () => Phase | undefined) {
    this.#world = world;
    this.#host = host;
    this.#phaseOf = phaseOf;
    this.chance = world.chance(`${host} link`);
    this.#fates = world.chance(`${host} link fates`);
  }

  /** Every request has this fate until further notice. */
  cutOff(fault: RequestFault | undefined): void {
    this.#cutOff = fault;
  }

  /** Whether the store's wake-ups are lost on the way. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** Nothing comes through that the servers send by themselves. */
  get silent(): boolean {
    return this.#stalled || (this.#world.isFaulty && this.#cutOff !== undefined);
  }

  stall(stalled: boolean): void {
    this.#stalled = stalled;
  }

  delayMs(): number {
    return this.chance.unit() * this.#world.plan.storeDelayMs;
  }

  /** What becomes of a request; undefined lets it through. */
  fateOf(operation: Operation): RequestFault | undefined {
    if (!this.#world.isFaulty) return undefined;
    const fate = this.#cutOff ?? this.#fateOfOne(operation);
    if (fate === undefined || !fits(fate, operation)) return undefined;
    this.#world.met(`request ${fate}`, this.#phaseOf());
    return fate;
  }

  /** Connections break: whoever waits for an answer hears that it will not come. */
  reset(): void {
    for (const reset of [...this.#resets]) reset();
  }

  onReset(reset: () => void): () => void {
    this.#resets.add(reset);
    return () => this.#resets.delete(reset);
  }

  #fateOfOne(operation: Operation): RequestFault | undefined {
    const fate = this.#world.fateOf(this.#host, operation, () => {
      const drawn = this.#drawn();
      if (drawn === undefined || !fits(drawn, operation)) return undefined;
      return { verb: operation, fate: drawn, after: undefined };
    });
    return fate?.fate;
  }

  #drawn(): RequestFault | undefined {
    for (const [fault, probability] of Object.entries(this.#world.plan.request)) {
      if (this.#fates.happens(probability)) return fault as RequestFault;
    }
    return undefined;
  }
}

function fits(fault: RequestFault, operation: Operation): boolean {
  if (operation === 'write') return fault === 'full';
  if (fault === 'full') return operation === 'append';
  if (fault === 'stale-read') return operation === 'read';
  return true;
}
