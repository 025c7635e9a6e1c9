/** Addresses and VNIs of a draft: taken and given back with the bookkeeping that belongs to it. */
import { defaultPoolCursor } from '../ipam/default-pools.ts';
import type { Pool } from '../ipam/pool.ts';
import * as pools from '../ipam/pool.ts';
import { assert } from '../lib/assert.ts';
import { vniMax, vniMin } from '../limits.ts';
import { addressToBigInt, type IpAddress, type Prefix } from '../model/address.ts';
import type { Subnet } from '../model/network.ts';
import type { Draft } from './draft.ts';

/** What of a subnet says where its addresses come from. */
export type SubnetPlace = Pick<Subnet, 'prefix' | 'range'>;

/** The pool that a subnet of a live network stands on. */
export function poolOf(draft: Draft, space: string, prefix: Prefix): Pool {
  const pool = draft.pools.pool(space, prefix);
  assert(pool !== undefined, 'the pool of a subnet exists');
  return pool;
}

/** Puts one more subnet on the pool of its prefix, and makes the pool if it is the first. */
export function joinPool(draft: Draft, space: string, subnet: SubnetPlace): void {
  const present = draft.pools.pool(space, subnet.prefix);
  const pool = present ?? pools.newPool(space, subnet.prefix);
  const joined = pools.joinPool(pool, pools.rangeOf(pool, subnet.range));
  if (present === undefined) draft.addPool(joined, defaultPoolCursor);
  else draft.replacePool(present, joined);
}

/** Takes a subnet off its pool; the pool goes with the last. Its addresses must have been released. */
export function leavePool(draft: Draft, space: string, subnet: SubnetPlace): void {
  const pool = poolOf(draft, space, subnet.prefix);
  const left = pools.leavePool(pool, pools.rangeOf(pool, subnet.range));
  if (left === undefined) draft.removePool(pool);
  else draft.replacePool(pool, left);
}

/** The next free address of a subnet; undefined when it has none. */
export function takeNextAddress(draft: Draft, space: string, subnet: SubnetPlace): bigint | undefined {
  const pool = poolOf(draft, space, subnet.prefix);
  const taken = pools.takeNext(pool, pools.rangeOf(pool, subnet.range));
  if (taken === undefined) return undefined;
  draft.replacePool(pool, taken.pool);
  draft.noteTaken(pool, taken.value);
  return taken.value;
}

/** Takes that address of a prefix; false when somebody has it or nobody may. */
export function takeAddress(draft: Draft, space: string, prefix: Prefix, address: IpAddress): boolean {
  const pool = poolOf(draft, space, prefix);
  const value = addressToBigInt(address);
  if (pool.taken.has(value)) return false;
  draft.replacePool(pool, pools.take(pool, value));
  draft.noteTaken(pool, value);
  return true;
}

export function releaseAddress(draft: Draft, space: string, prefix: Prefix, address: IpAddress): void {
  const pool = poolOf(draft, space, prefix);
  const value = addressToBigInt(address);
  draft.replacePool(pool, pools.release(pool, value));
  draft.noteReleased(pool, value);
}

/** The next free VNI after the last one given out, around the whole range; undefined when there is none. */
export function takeNextVni(draft: Draft): number | undefined {
  let vni = draft.vnis.nextFree(draft.vniCursor);
  if (vni > BigInt(vniMax)) vni = draft.vnis.nextFree(BigInt(vniMin));
  if (vni > BigInt(vniMax)) return undefined;
  draft.takeVni(vni);
  draft.setVniCursor(vni === BigInt(vniMax) ? BigInt(vniMin) : vni + 1n);
  return Number(vni);
}
