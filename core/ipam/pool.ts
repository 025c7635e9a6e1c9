/**
 * A pool: one prefix of an address space, shared by all networks of the space that have it as a subnet, so that none of
 * its addresses is given twice. Immutable; every change gives a new pool.
 *
 * Automatic addresses go on from the last one given out and wrap, so that a freed address rests as long as possible.
 * Every range that networks restrict themselves to (the whole prefix is one) has a cursor of its own.
 */
import { assert } from '../lib/assert.ts';
import { boundsOf, type Family, familyOf, type Prefix } from '../model/address.ts';
import { type Range, RangeSet } from './range-set.ts';
import { reservedRanges } from './subnet-rules.ts';

export interface Pool extends Range {
  /** Key form of its address space's name. */
  readonly space: string;
  readonly prefix: Prefix;
  readonly family: Family;
  /** Everything that cannot be given out: reserved addresses, gateways, auxiliary addresses, endpoints. */
  readonly taken: RangeSet;
  /** By first address, then by last. */
  readonly cursors: readonly Cursor[];
}

/** Where the search for automatic addresses of a range goes on. */
export interface Cursor extends Range {
  /** Live networks that have this range. The cursor goes with the last, the pool with its last cursor. */
  readonly users: number;
  /** The address that is tried first. */
  readonly next: bigint;
}

/** A pool that nobody uses yet. */
export function newPool(space: string, prefix: Prefix): Pool {
  let taken = RangeSet.empty;
  for (const range of reservedRanges(prefix)) taken = taken.with(range.first, range.last);
  return { space, prefix, family: familyOf(prefix), ...boundsOf(prefix), taken, cursors: [] };
}

/** The range that a network's automatic addresses come from: its own, or the whole pool. */
export function rangeOf(pool: Pool, range: Prefix | undefined): Range {
  return range === undefined ? pool : boundsOf(range);
}

/** One more network with this range. */
export function joinPool(pool: Pool, range: Range): Pool {
  const cursor = findCursor(pool, range);
  if (cursor !== undefined) return withCursor(pool, { ...cursor, users: cursor.users + 1 });
  const { first, last } = range;
  const cursors = [...pool.cursors, { first, last, users: 1, next: first }];
  return { ...pool, cursors: cursors.sort((a, b) => compare(a.first, b.first) || compare(a.last, b.last)) };
}

/** One network with this range less; undefined when it was the pool's last. */
export function leavePool(pool: Pool, range: Range): Pool | undefined {
  const cursor = findCursor(pool, range);
  assert(cursor !== undefined, 'a network that leaves a pool has joined it');
  if (cursor.users > 1) return withCursor(pool, { ...cursor, users: cursor.users - 1 });
  const cursors = pool.cursors.filter((other) => other !== cursor);
  return cursors.length === 0 ? undefined : { ...pool, cursors };
}

/** An address for the asking, and the pool with it taken and the cursor after it; undefined when the range has none free. */
export function takeNext(
  pool: Pool,
  range: Range,
): { readonly pool: Pool; readonly value: bigint } | undefined {
  const cursor = findCursor(pool, range);
  assert(cursor !== undefined, 'a network that asks a pool has joined it');
  let value = pool.taken.nextFree(cursor.next);
  if (value > cursor.last) value = pool.taken.nextFree(cursor.first);
  if (value > cursor.last) return undefined;
  const next = value === cursor.last ? cursor.first : value + 1n;
  return { pool: withCursor(take(pool, value), { ...cursor, next }), value };
}

/** Takes an address that is free; cursors stay where they are. */
export function take(pool: Pool, value: bigint): Pool {
  assert(holds(pool, value) && !pool.taken.has(value), 'an address that is taken was free');
  return { ...pool, taken: pool.taken.with(value) };
}

/** Gives an address back. */
export function release(pool: Pool, value: bigint): Pool {
  assert(holds(pool, value) && pool.taken.has(value), 'an address that is released was taken');
  return { ...pool, taken: pool.taken.without(value) };
}

/** Whether a number lies in a range. */
export function holds(range: Range, value: bigint): boolean {
  return range.first <= value && value <= range.last;
}

function findCursor(pool: Pool, range: Range): Cursor | undefined {
  return pool.cursors.find((cursor) => cursor.first === range.first && cursor.last === range.last);
}

function withCursor(pool: Pool, cursor: Cursor): Pool {
  const cursors = pool.cursors.map((old) =>
    old.first === cursor.first && old.last === cursor.last ? cursor : old,
  );
  return { ...pool, cursors };
}

function compare(a: bigint, b: bigint): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}
