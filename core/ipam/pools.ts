/**
 * The pools of every address space. Pools of one space never overlap; pools of different spaces do not know of each
 * other. Immutable: every change gives new `Pools` that share all else with the old.
 */
import { assert } from '../lib/assert.ts';
import { SortedTable } from '../lib/table.ts';
import { boundsOf, type Family, familyOf, type Prefix, widthOf } from '../model/address.ts';
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
  static readonly empty: Pools = new Pools(SortedTable.empty(), SortedTable.empty());

  /** By space, family and first address. */
  readonly #pools: SortedTable<string, Pool>;
  readonly #spaces: SortedTable<string, Space>;

  private constructor(pools: SortedTable<string, Pool>, spaces: SortedTable<string, Space>) {
    this.#pools = pools;
    this.#spaces = spaces;
  }

  pool(space: string, prefix: Prefix): Pool | undefined {
    const pool = this.#pools.get(keyOf(space, familyOf(prefix), boundsOf(prefix).first));
    return pool?.prefix === prefix ? pool : undefined;
  }

  /** The lowest pool of the space that has an address in common with the range; the pool of the same prefix too. */
  overlapping(space: string, family: Family, range: Range): Pool | undefined {
    const below = this.#pools.floor(keyOf(space, family, range.first))?.[1];
    if (below?.space === space && below.family === family && below.last >= range.first) return below;
    const [above] = this.#pools.values(keyOf(space, family, range.first));
    const overlaps = above?.space === space && above.family === family && above.first <= range.last;
    return overlaps ? above : undefined;
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

  /** With a pool that is new or replaces the one of its prefix. @param cursor of a space that is new */
  with(pool: Pool, cursor: bigint): Pools {
    const key = keyOf(pool.space, pool.family, pool.first);
    const pools = this.#pools.fork();
    pools.set(key, pool);
    if (this.#pools.has(key)) return new Pools(pools, this.#spaces);
    const spaces = this.#spaces.fork();
    const space = spaces.get(pool.space) ?? { name: pool.space, pools: 0, cursor, covered: RangeSet.empty };
    const covered = pool.family === 4 ? space.covered.with(pool.first, pool.last) : space.covered;
    spaces.set(pool.space, { ...space, pools: space.pools + 1, covered });
    return new Pools(pools, spaces);
  }

  without(pool: Pool): Pools {
    const pools = this.#pools.fork();
    assert(pools.delete(keyOf(pool.space, pool.family, pool.first)), 'a pool that goes was there');
    const spaces = this.#spaces.fork();
    const space = spaces.get(pool.space);
    assert(space !== undefined, 'the space of a pool exists');
    const covered = pool.family === 4 ? space.covered.without(pool.first, pool.last) : space.covered;
    if (space.pools === 1) spaces.delete(pool.space);
    else spaces.set(pool.space, { ...space, pools: space.pools - 1, covered });
    return new Pools(pools, spaces);
  }

  /** With the search for default pools of an existing space going on elsewhere. */
  withCursor(name: string, cursor: bigint): Pools {
    const spaces = this.#spaces.fork();
    const space = spaces.get(name);
    assert(space !== undefined, 'the space of a pool exists');
    spaces.set(name, { ...space, cursor });
    return new Pools(this.#pools, spaces);
  }
}

/** Sorts as the addresses do. No name of a space has a blank in it. */
function keyOf(space: string, family: Family, first: bigint): string {
  return `${space} ${family} ${first.toString(16).padStart(widthOf(family) / 4, '0')}`;
}
