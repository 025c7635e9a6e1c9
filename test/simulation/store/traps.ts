/** The traps of each style of store, and when they go off. */
import type { Chance } from '../world/chance.ts';
import type { World } from '../world/world.ts';

/**
 * By style. Each name says what goes wrong at the store; where the trap is in what the adapter must do about it, the
 * counter that must be met is in `encounters`.
 */
export const traps = {
  memory: [],
  etcd: [
    'foreign-keys',
    'compaction',
    'watch-cancelled',
    'frozen-member',
    'lagging-member',
    'lost-event',
    'duplicate-event',
    'small-messages',
    'no-space',
    'leader-change',
  ],
  consul: [
    'foreign-keys',
    'tombstones-reaped',
    'wake-for-nothing',
    'frozen-server',
    'stale-leader',
    'leader-change',
    'unknown-outcome',
  ],
  zookeeper: [
    'foreign-nodes',
    'frozen-server',
    'lagging-server',
    'connection-loss',
    'leader-change',
    'unknown-outcome',
  ],
  file: ['short-write', 'disk-full', 'sync-fails', 'torn-write', 'power-failure', 'lost-wake-up'],
} as const;

export type StoreStyle = keyof typeof traps;
export type TrapOf<S extends StoreStyle> = (typeof traps)[S][number];

export const storeStyles = Object.keys(traps) as readonly StoreStyle[];

/** What an adapter must have met of its style beside the traps themselves. */
export const encounters: Readonly<Record<StoreStyle, readonly string[]>> = {
  memory: [],
  etcd: [
    'late append finds its retry',
    'append refused for space was carried out',
    'message in fragments',
    'watch cancelled by a compaction',
  ],
  consul: [
    'late append finds its retry',
    'append answered with an error was carried out',
    'segment ended',
    'segment ended meanwhile',
    'query of a future index',
    'index went down',
    'list asked for again',
  ],
  zookeeper: [
    'late append finds its retry',
    'number used up by a foreign node',
    'server behind catches up',
    'segment opened',
    'zxid given out again',
  ],
  file: ['turn of another daemon', 'segment sealed', 'torn end cut off', 'unsynced bytes lost'],
};

/** How strong a trap is in a life that has it: from a little to fully. */
export type TrapStrengths = Readonly<Partial<Record<string, number>>>;

export class Traps<S extends StoreStyle> {
  readonly chance: Chance;
  readonly #world: World;
  readonly #style: S;

  constructor(world: World, style: S) {
    this.#world = world;
    this.#style = style;
    this.chance = world.chance(`${style} traps`);
  }

  /** Whether this life has it and it may go off now. */
  has(trap: TrapOf<S>): boolean {
    return this.#strengthOf(trap) > 0;
  }

  /** Draws for one occasion. @param most its probability in a life that has the trap at full strength */
  springs(trap: TrapOf<S>, most: number): boolean {
    const isSprung = this.chance.happens(this.#strengthOf(trap) * most);
    if (isSprung) this.met(trap);
    return isSprung;
  }

  /** Lets it go off again and again. @param most times a minute at full strength; `act` says whether it could happen */
  repeat(trap: TrapOf<S>, most: number, act: () => boolean): void {
    const strength = this.#world.plan.traps[trap] ?? 0;
    if (strength === 0) return;
    const pauseMs = (2 * this.chance.unit() * 60_000) / (strength * most);
    this.#world.scheduler.after(pauseMs, undefined, () => {
      if (!this.#world.isFaulty) return;
      if (act()) this.met(trap);
      this.repeat(trap, most, act);
    });
  }

  met(what: TrapOf<S> | (typeof encounters)[S][number]): void {
    this.#world.met(`${this.#style} ${what}`);
    this.#world.note('store', what);
  }

  #strengthOf(trap: TrapOf<S>): number {
    return this.#world.isFaulty ? (this.#world.plan.traps[trap] ?? 0) : 0;
  }
}
