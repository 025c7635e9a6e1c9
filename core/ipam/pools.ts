/**
 * The pools of every address space. Pools of one space never overlap; pools of different spaces do not know of each
 * other. Immutable: every change gives new `Pools` that share all else with the old.
 */
import { assert } from '../lib/assert.ts';
import { SortedTable } from '../lib/table.ts';
import { type Family, type Prefix, widthOf } from '../model/address.ts';
import type { Pool } from './pool.ts';
import { type Range, RangeSet } from './range-set.ts';

/** An address space exists as long as it has a pool. */
export interface Space {
  /** Key form of its name. */
  readonly name: string;
  /** Pools in it, of both families. */
  readonly pools: number;
  /** Where the search for the next default pool goes on. */
  readonly cursor: bigint;
  /** Every IPv4 address that lies in some pool: what default pools are cut around. */
  readonly covered: RangeSet;
}

export class Pools {
  static readonly empty: Pools = new Pools(SortedTable.empty(), SortedTable.empty(), SortedTable.empty());

  /** By space and prefix. */
  readonly #pools: SortedTable<string, Pool>;
  /** Keys of pools by space, family and first address. */
  readonly #order: SortedTable<string, string>;
  readonly #spaces: SortedTable<string, Space>;

  private constructor(
    pools: SortedTable<string, Pool>,
    order: SortedTable<string, string>,
    spaces: SortedTable<string, Space>,
  ) {
    this.#pools = pools;
    this.#order = order;
    this.#spaces = spaces;
  }

  pool(space: string, prefix: Prefix): Pool | undefined {
    return this.#pools.get(keyOf(space, prefix));
  }

  /** The lowest pool of the space that has an address in common with the range; the pool of the same prefix too. */
  overlapping(space: string, family: Family, range: Range): Pool | undefined {
    const from = orderOf(space, family, range.first);
    const below = this.#ofSpace(this.#order.floor(from)?.[1], space, family);
    if (below !== undefined && below.last >= range.first) return below;
    const [key] = this.#order.values(from);
    const above = this.#ofSpace(key, space, family);
    return above !== undefined && above.first <= range.last ? above : undefined;
  }

  space(name: string): Space | undefined {
    return this.#spaces.get(name);
  }

  all(): IterableIterator<Pool> {
    return this.#pools.values();
  }

  spaces(): IterableIterator<Space> {
    return this.#spaces.values();
  }

  get size(): number {
    return this.#pools.size;
  }

  /** With a later form of a pool that is there. */
  withReplaced(pool: Pool): Pools {
    const pools = this.#pools.fork();
    pools.set(keyOf(pool.space, pool.prefix), pool);
    return new Pools(pools, this.#order, this.#spaces);
  }

  /** With one more pool, which overlaps none of its space. @param cursor of the space, if it is new */
  with(pool: Pool, cursor: bigint): Pools {
    const [pools, order, spaces] = [this.#pools.fork(), this.#order.fork(), this.#spaces.fork()];
    const key = keyOf(pool.space, pool.prefix);
    pools.set(key, pool);
    order.set(orderOf(pool.space, pool.family, pool.first), key);
    const space = spaces.get(pool.space) ?? { name: pool.space, pools: 0, cursor, covered: RangeSet.empty };
    const covered = pool.family === 4 ? space.covered.with(pool.first, pool.last) : space.covered;
    spaces.set(pool.space, { ...space, pools: space.pools + 1, covered });
    return new Pools(pools, order, spaces);
  }

  without(pool: Pool): Pools {
    const [pools, order, spaces] = [this.#pools.fork(), this.#order.fork(), this.#spaces.fork()];
    assert(pools.delete(keyOf(pool.space, pool.prefix)), 'a pool that goes was there');
    order.delete(orderOf(pool.space, pool.family, pool.first));
    const space = spaces.get(pool.space);
    assert(space !== undefined, 'the space of a pool exists');
    const covered = pool.family === 4 ? space.covered.without(pool.first, pool.last) : space.covered;
    if (space.pools === 1) spaces.delete(pool.space);
    else spaces.set(pool.space, { ...space, pools: space.pools - 1, covered });
    return new Pools(pools, order, spaces);
  }

  /** With the search for default pools of an existing space going on elsewhere. */
  withCursor(name: string, cursor: bigint): Pools {
    const spaces = this.#spaces.fork();
    const space = spaces.get(name);
    assert(space !== undefined, 'the space of a pool exists');
    spaces.set(name, { ...space, cursor });
    return new Pools(this.#pools, this.#order, spaces);
  }

  #ofSpace(key: string | undefined, space: string, family: Family): Pool | undefined {
    const pool = key === undefined ? undefined : this.#pools.get(key);
    return pool?.space === space && pool.family === family ? pool : undefined;
  }
}

function keyOf(space: string, prefix: Prefix): string {
  return `${space} ${prefix}`;
}

/** Sorts as the addresses do. No name of a space has a blank in it. */
function orderOf(space: string, family: Family, first: bigint): string {
  return `${space} ${family} ${first.toString(16).padStart(widthOf(family) / 4, '0')}`;
}
