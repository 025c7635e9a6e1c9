/** Checks what is allocated: that pools hold what networks and endpoints have, no more, no less, and nothing twice. */
import { newPool, type Pool, rangeOf, take } from '../ipam/pool.ts';
import { RangeSet } from '../ipam/range-set.ts';
import { subnetFault } from '../ipam/subnet-rules.ts';
import { addressOf, addressToBigInt, contains, type IpAddress } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { nameKey } from '../model/names.ts';
import type { Network } from '../model/network.ts';
import { gatewayClaims, gatewayPools } from './check-gateways.ts';
import type { State } from './state.ts';

/** Pools are those that subnets stand on, and hold exactly what networks and endpoints have, nothing twice. */
export function checkPools(state: State, faults: string[]): void {
  const expected = new Map<string, Pool>();
  const users = new Map<string, number>();
  const claim = (pool: Pool, address: IpAddress, holder: string): void => {
    const key = `${pool.space} ${pool.prefix}`;
    const value = addressToBigInt(address);
    const present = expected.get(key) ?? pool;
    if (value < pool.first || value > pool.last)
      faults.push(`${holder} has ${address}, which is not in ${pool.prefix}`);
    else if (present.taken.has(value))
      faults.push(`${holder} has ${address}, which another has or nobody may have`);
    else expected.set(key, take(present, value));
  };
  for (const network of state.networks.values()) {
    for (const subnet of network.subnets) {
      const pool = newPool(nameKey(network.space), subnet.prefix);
      const key = `${pool.space} ${pool.prefix}`;
      if (!expected.has(key)) expected.set(key, pool);
      const range = rangeOf(pool, subnet.range);
      const cursor = `${key} ${range.first} ${range.last}`;
      users.set(cursor, (users.get(cursor) ?? 0) + 1);
      const fault = subnetFault(subnet.prefix);
      if (fault !== undefined) faults.push(`network ${network.id} has subnet ${subnet.prefix}: ${fault}`);
      claim(pool, subnet.gateway, `the gateway of network ${network.id}`);
      for (const aux of subnet.aux)
        claim(pool, aux.address, `auxiliary address ${aux.name} of network ${network.id}`);
    }
  }
  for (const pool of gatewayPools(state)) {
    const key = `${pool.space} ${pool.prefix}`;
    if (!expected.has(key)) expected.set(key, pool);
    const cursor = `${key} ${pool.first} ${pool.last}`;
    users.set(cursor, (users.get(cursor) ?? 0) + 1);
  }
  for (const endpoint of state.endpoints.values()) claimOfEndpoint(state, endpoint, claim, faults);
  for (const [pool, address, holder] of gatewayClaims(state)) claim(pool, address, holder);
  comparePools(state, expected, users, faults);
  checkSpaces(state, faults);
}

function claimOfEndpoint(
  state: State,
  endpoint: Endpoint,
  claim: (pool: Pool, address: IpAddress, holder: string) => void,
  faults: string[],
): void {
  const network = state.networks.get(endpoint.network);
  if (network === undefined) return;
  const families = endpoint.addresses.map((address) => (address.includes(':') ? 6 : 4));
  if (families.join() !== familiesOf(network).join()) faults.push(`endpoint ${endpoint.id} lacks an address`);
  for (const value of endpoint.addresses) {
    const address = addressOf(value);
    const subnet = network.subnets.find((each) => contains(each.prefix, address));
    if (subnet === undefined)
      faults.push(`endpoint ${endpoint.id} has ${value}, which is in no subnet of its network`);
    else claim(newPool(nameKey(network.space), subnet.prefix), address, `endpoint ${endpoint.id}`);
  }
}

function familiesOf(network: Network): readonly number[] {
  const families = new Set(network.subnets.map((subnet) => (subnet.prefix.includes(':') ? 6 : 4)));
  return [...families].sort((a, b) => a - b);
}

function comparePools(
  state: State,
  expected: ReadonlyMap<string, Pool>,
  users: ReadonlyMap<string, number>,
  faults: string[],
): void {
  let cursors = 0;
  for (const pool of state.pools.all()) {
    const what = `pool ${pool.space} ${pool.prefix}`;
    const should = expected.get(`${pool.space} ${pool.prefix}`);
    if (should === undefined) faults.push(`${what} has no network`);
    else if (textOf(pool.taken) !== textOf(should.taken)) {
      faults.push(`${what} holds ${textOf(pool.taken)} and should hold ${textOf(should.taken)}`);
    }
    if (pool.taken.size !== sizeOf(pool.taken)) faults.push(`${what} counts ${pool.taken.size} addresses`);
    for (const cursor of pool.cursors) {
      cursors += 1;
      const count = users.get(`${pool.space} ${pool.prefix} ${cursor.first} ${cursor.last}`);
      if (cursor.users !== count)
        faults.push(`${what} has a range with ${cursor.users} users and should have ${count}`);
      if (cursor.next < cursor.first || cursor.next > cursor.last)
        faults.push(`${what} has a cursor outside its range`);
    }
  }
  if (state.pools.size !== expected.size)
    faults.push(`there are ${state.pools.size} pools and should be ${expected.size}`);
  if (cursors !== users.size) faults.push(`pools have ${cursors} ranges and should have ${users.size}`);
}

/** Pools of a space do not overlap, and the space knows how many they are and what they cover. */
function checkSpaces(state: State, faults: string[]): void {
  const poolsOf = new Map<string, Pool[]>();
  for (const pool of state.pools.all()) poolsOf.set(pool.space, [...(poolsOf.get(pool.space) ?? []), pool]);
  const spaces = [...state.pools.spaces()];
  for (const space of spaces) {
    const pools = poolsOf.get(space.name) ?? [];
    if (space.pools !== pools.length) faults.push(`space ${space.name} counts ${space.pools} pools`);
    if (textOf(space.covered) !== textOf(cover(pools, 4, faults)))
      faults.push(`space ${space.name} covers what its pools do not`);
    cover(pools, 6, faults);
  }
  if (spaces.length !== poolsOf.size)
    faults.push(`there are ${spaces.length} spaces and should be ${poolsOf.size}`);
}

/** The addresses of all pools of a family, none of which may be in two. */
function cover(pools: readonly Pool[], family: number, faults: string[]): RangeSet {
  let covered = RangeSet.empty;
  for (const pool of pools.filter((each) => each.family === family)) {
    const taken = covered.nextTaken(pool.first);
    if (taken !== undefined && taken <= pool.last)
      faults.push(`pool ${pool.prefix} of space ${pool.space} overlaps another`);
    covered = covered.with(pool.first, pool.last);
  }
  return covered;
}

function textOf(set: RangeSet): string {
  return [...set.ranges()].map(({ first, last }) => `${first}-${last}`).join(' ');
}

function sizeOf(set: RangeSet): bigint {
  return [...set.ranges()].reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}
