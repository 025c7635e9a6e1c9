/**
 * Recomputes from the base tables all that a state keeps up incrementally, and checks what must always hold. For tests
 * and simulation, where it runs after every step; it costs as much as everything that exists.
 */
import { newPool } from '../ipam/pool.ts';
import { SetHash } from '../lib/set-hash.ts';
import type { Key, Table } from '../lib/table.ts';
import { addressOf, addressToBigInt, contains } from '../model/address.ts';
import { nameKey } from '../model/names.ts';
import { isPredefined } from '../model/network.ts';
import type { Stamp } from '../model/stamp.ts';
import { checkGateways, gatewayClaims } from './check-gateways.ts';
import { checkPools } from './check-pools.ts';
import { courseMembers } from './draft.ts';
import { parentOption } from './driver-traits.ts';
import {
  addressMember,
  endpointMember,
  hostMember,
  networkMember,
  poolMember,
  recentMember,
  registerMember,
  removedHostMember,
  spaceMember,
  vniMember,
} from './hash.ts';
import { byNetworkKey, bySandboxKey, endpointNameKey, macKey, portKeys } from './index-keys.ts';
import type { State } from './state.ts';

/** What is wrong with a state, one line each; nothing is when it is sound. */
export function checkState(state: State): readonly string[] {
  const faults: string[] = [];
  checkReferences(state, faults);
  checkIndexes(state, faults);
  checkGateways(state, faults);
  checkPools(state, faults);
  checkVnis(state, faults);
  checkStamps(state, faults);
  checkHashes(state, faults);
  return faults;
}

/** Nothing refers to what does not exist, and what must be unique in its surroundings is. */
function checkReferences(state: State, faults: string[]): void {
  const interfaces = new Set<string>();
  const attachments = new Set<string>();
  for (const [id, endpoint] of state.endpoints.entries()) {
    const what = `endpoint ${id}`;
    const network = state.networks.get(endpoint.network);
    if (endpoint.id !== id) faults.push(`${what} is filed under another id`);
    if (network === undefined) faults.push(`${what} is on network ${endpoint.network}, which does not exist`);
    if (!state.hosts.has(endpoint.host))
      faults.push(`${what} is on host ${endpoint.host}, which does not exist`);
    const sandbox = `${endpoint.host} ${endpoint.sandbox.identity}`;
    unique(attachments, `${sandbox} ${endpoint.network}`, `${what}: a second attachment of`, faults);
    if (endpoint.ifname !== undefined) {
      unique(interfaces, `${sandbox} ${endpoint.ifname}`, `${what}: a second interface`, faults);
    }
  }
  for (const [key, { ifname }] of state.gateways.entries())
    unique(interfaces, `${key} ${ifname}`, 'a gateway endpoint: a second interface', faults);
  for (const [id, network] of state.networks.entries()) {
    if (network.id !== id) faults.push(`network ${id} is filed under another id`);
  }
  for (const [name, host] of state.hosts.entries()) {
    if (host.name !== name) faults.push(`host ${name} is filed under another name`);
    if (host.epoch < 1) faults.push(`host ${name} lives no life`);
    if (state.removedHosts.has(nameKey(name))) faults.push(`host ${name} lives and is remembered as removed`);
  }
}

/** Every index is what the base tables make it. A key that two objects claim shows as a difference in size. */
function checkIndexes(state: State, faults: string[]): void {
  checkHostIndexes(state, faults);
  const networks = [...state.networks.values()];
  const endpoints = [...state.endpoints.values()];
  const onNetwork = endpoints.flatMap((endpoint) => {
    const network = state.networks.get(endpoint.network);
    return network === undefined ? [] : [{ endpoint, network }];
  });
  compareIndex(
    faults,
    'networkNames',
    state.networkNames,
    networks.map((network) => [nameKey(network.name), network.id]),
  );
  compareIndex(
    faults,
    'parents',
    state.parents,
    networks.flatMap(({ id, options }) => {
      const parent = options[parentOption];
      return parent === undefined ? [] : [[parent, id]];
    }),
  );
  compareIndex(
    faults,
    'endpointNames',
    state.endpointNames,
    endpoints.flatMap((endpoint) => {
      return endpoint.name === undefined
        ? []
        : [[endpointNameKey(endpoint.network, endpoint.name), endpoint.id]];
    }),
  );
  compareIndex(
    faults,
    'macs',
    state.macs,
    onNetwork.flatMap(({ endpoint, network }) => {
      return endpoint.mac === undefined ? [] : [[macKey(network, endpoint.mac), endpoint.id]];
    }),
  );
  compareIndex(
    faults,
    'endpointsByNetwork',
    state.endpointsByNetwork,
    onNetwork.map(({ endpoint, network }) => {
      return [byNetworkKey(network, endpoint), endpoint.id];
    }),
  );
  compareIndex(
    faults,
    'publishedPorts',
    state.publishedPorts,
    endpoints.flatMap((endpoint) => portKeys(endpoint).map((key) => [key, endpoint.id] as const)),
  );
  compareIndex(
    faults,
    'endpointsBySandbox',
    state.endpointsBySandbox,
    endpoints.map((endpoint) => [bySandboxKey(endpoint), endpoint.id]),
  );
}

function checkHostIndexes(state: State, faults: string[]): void {
  const hosts = [...state.hosts.values()];
  compareIndex(
    faults,
    'hostNames',
    state.hostNames,
    hosts.map((host) => [nameKey(host.name), host.name]),
  );
  compareIndex(
    faults,
    'hostAddresses',
    state.hostAddresses,
    hosts.map((host) => [host.address, host.name]),
  );
  compareIndex(
    faults,
    'downHosts',
    state.downHosts,
    hosts.filter(({ isDown }) => isDown).map((host) => [host.name, host.epoch]),
  );
  compareIndex(
    faults,
    'removals',
    state.removals,
    [...state.removedHosts.entries()].map(([key, removed]) => [removed.ordinal, key]),
  );
}

function compareIndex<K extends Key, V>(
  faults: string[],
  name: string,
  index: Table<K, V>,
  expected: readonly (readonly [K, V])[],
): void {
  if (index.size !== expected.length || [...index.keys()].length !== expected.length) {
    faults.push(`index ${name} has ${index.size} entries and should have ${expected.length}`);
  }
  for (const [key, value] of expected)
    if (index.get(key) !== value) faults.push(`index ${name} is wrong at '${key}'`);
}

function checkVnis(state: State, faults: string[]): void {
  const vnis = [...state.networks.values()].flatMap((network) => network.vni ?? []);
  if (new Set(vnis).size !== vnis.length) faults.push('two networks have one VNI');
  if (state.vnis.size !== BigInt(vnis.length) || !vnis.every((vni) => state.vnis.has(BigInt(vni)))) {
    faults.push(`the set of VNIs is not ${vnis.join(' ')}`);
  }
}

/** Nothing was made by a record that is not there yet, no two objects by one, and the memory reaches no further back. */
function checkStamps(state: State, faults: string[]): void {
  const creations = new Set<number | string>();
  const check = (what: string, created: Stamp, changed: Stamp): void => {
    unique(creations, created.ordinal, `${what}: a second object of record`, faults);
    if (created.ordinal < 1 || created.ordinal > changed.ordinal || changed.ordinal > state.ordinal) {
      faults.push(`${what} was made at ${created.ordinal} and changed at ${changed.ordinal}`);
    }
  };
  for (const host of state.hosts.values()) {
    check(`host ${host.name}`, host.created, host.changed);
    if (host.joined < host.created.ordinal || host.joined > host.changed.ordinal)
      faults.push(`host ${host.name} lives since ${host.joined}, and was changed at ${host.changed.ordinal}`);
  }
  for (const network of state.networks.values()) {
    if (!isPredefined(network)) check(`network ${network.id}`, network.created, network.changed);
    else unique(creations, network.name, `network ${network.id}: a second predefined one called`, faults);
  }
  for (const endpoint of state.endpoints.values())
    check(`endpoint ${endpoint.id}`, endpoint.created, endpoint.changed);
}

function checkHashes(state: State, faults: string[]): void {
  const present = SetHash.empty();
  for (const [id, ordinal] of state.memory.present.entries()) present.add(recentMember(id, ordinal));
  if (present.hex !== state.memory.presentHash)
    faults.push('the hash of the memory is not that of its records');
  const previous = SetHash.empty();
  for (const [id, ordinal] of state.memory.previous.entries()) previous.add(recentMember(id, ordinal));
  if (previous.hex !== state.memory.previousHash)
    faults.push('the hash of the earlier memory is not that of its records');
  const all = SetHash.empty();
  all.addAll(present);
  all.addAll(previous);
  for (const member of membersOf(state)) all.add(member);
  if (all.hex !== state.stateHash)
    faults.push(`the hash of the state is ${state.stateHash} and should be ${all.hex}`);
}

/** Every member of the hash of a state but the memory's. */
function* membersOf(state: State): IterableIterator<Uint8Array> {
  for (const host of state.hosts.values()) yield hostMember(host);
  for (const [key, removed] of state.removedHosts.entries()) yield removedHostMember(key, removed);
  for (const network of state.networks.values()) {
    yield networkMember(network);
    if (network.vni !== undefined) yield vniMember(BigInt(network.vni));
    for (const subnet of network.subnets) {
      const pool = newPool(nameKey(network.space), subnet.prefix);
      for (const address of [subnet.gateway, ...subnet.aux.map((aux) => aux.address)]) {
        yield addressMember(pool, addressToBigInt(address));
      }
    }
  }
  for (const endpoint of state.endpoints.values()) {
    yield endpointMember(endpoint);
    const network = state.networks.get(endpoint.network);
    for (const address of endpoint.addresses.map(addressOf)) {
      const subnet = network?.subnets.find((each) => contains(each.prefix, address));
      if (network === undefined || subnet === undefined) continue;
      yield addressMember(newPool(nameKey(network.space), subnet.prefix), addressToBigInt(address));
    }
  }
  for (const gateway of state.gateways.values()) yield endpointMember(gateway);
  for (const [pool, address] of gatewayClaims(state)) yield addressMember(pool, addressToBigInt(address));
  for (const pool of state.pools.all()) yield poolMember(pool);
  for (const space of state.pools.spaces()) yield spaceMember(space);
  yield registerMember('vni-cursor', state.vniCursor);
  yield registerMember('epoch-floor', BigInt(state.epochFloor));
  yield* courseMembers(state.course);
}

function unique<T extends string | number>(seen: Set<T>, key: T, what: string, faults: string[]): void {
  if (seen.has(key)) faults.push(`${what} ${key}`);
  seen.add(key);
}
