/**
 * A state being written: the one place that changes tables, so that the indexes and the hash follow every change.
 *
 * Forking a state is cheap and leaves it as it is, so a rule may write as it goes and a refusal costs nothing to undo:
 * the draft is thrown away. Rules see in it what they have written so far.
 */
import type { Pool } from '../ipam/pool.ts';
import type { Pools } from '../ipam/pools.ts';
import type { RangeSet } from '../ipam/range-set.ts';
import { assert } from '../lib/assert.ts';
import { SetHash } from '../lib/set-hash.ts';
import { SortedTable } from '../lib/table.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import type { EndpointId, NetworkId, RecordId } from '../model/ids.ts';
import { nameKey } from '../model/names.ts';
import type { Network } from '../model/network.ts';
import type { Course } from './course.ts';
import { parentOption } from './driver-traits.ts';
import {
  addressMember,
  endpointMember,
  hostMember,
  networkMember,
  nextLogMember,
  pastLogMember,
  poolMember,
  presentLogMember,
  recentMember,
  registerMember,
  removedHostMember,
  spaceMember,
  vniMember,
} from './hash.ts';
import { byNetworkKey, bySandboxKey, endpointNameKey, macKey, portKeys, sandboxKey } from './index-keys.ts';
import { memoryFor, type RecordMemory, withRecords } from './record-memory.ts';
import type { RemovedHost } from './removed-host.ts';
import { emptyState, type State } from './state.ts';

export class Draft implements Omit<State, 'ordinal' | 'recordHash' | 'stateHash'> {
  readonly hosts: SortedTable<string, Host>;
  readonly networks: SortedTable<NetworkId, Network>;
  readonly endpoints: SortedTable<EndpointId, Endpoint>;
  readonly gateways: SortedTable<string, Endpoint>;
  readonly networkNames: SortedTable<string, NetworkId>;
  readonly parents: SortedTable<string, NetworkId>;
  readonly endpointNames: SortedTable<string, EndpointId>;
  readonly endpointsByNetwork: SortedTable<string, EndpointId>;
  readonly endpointsBySandbox: SortedTable<string, EndpointId>;
  readonly macs: SortedTable<string, EndpointId>;
  readonly publishedPorts: SortedTable<string, EndpointId>;
  readonly hostNames: SortedTable<string, string>;
  readonly hostAddresses: SortedTable<string, string>;
  readonly downHosts: SortedTable<string, number>;
  readonly removedHosts: SortedTable<string, RemovedHost>;
  readonly removals: SortedTable<number, string>;
  #pools: Pools;
  #vnis: RangeSet;
  #vniCursor: bigint;
  #epochFloor: number;
  #course: Course;
  #memory: RecordMemory;
  readonly #hash: SetHash;

  constructor(state: State) {
    this.hosts = SortedTable.forkOf(state.hosts);
    this.networks = SortedTable.forkOf(state.networks);
    this.endpoints = SortedTable.forkOf(state.endpoints);
    this.gateways = SortedTable.forkOf(state.gateways);
    this.networkNames = SortedTable.forkOf(state.networkNames);
    this.parents = SortedTable.forkOf(state.parents);
    this.endpointNames = SortedTable.forkOf(state.endpointNames);
    this.endpointsByNetwork = SortedTable.forkOf(state.endpointsByNetwork);
    this.endpointsBySandbox = SortedTable.forkOf(state.endpointsBySandbox);
    this.macs = SortedTable.forkOf(state.macs);
    this.publishedPorts = SortedTable.forkOf(state.publishedPorts);
    this.hostNames = SortedTable.forkOf(state.hostNames);
    this.hostAddresses = SortedTable.forkOf(state.hostAddresses);
    this.downHosts = SortedTable.forkOf(state.downHosts);
    this.removedHosts = SortedTable.forkOf(state.removedHosts);
    this.removals = SortedTable.forkOf(state.removals);
    this.#pools = state.pools;
    this.#vnis = state.vnis;
    this.#vniCursor = state.vniCursor;
    this.#epochFloor = state.epochFloor;
    this.#course = state.course;
    this.#memory = state.memory;
    this.#hash = SetHash.fromHex(state.stateHash);
  }

  /** A draft of the empty state that is to get very many endpoints, which is faster so. */
  static forLoading(): Draft {
    const draft = new Draft(emptyState());
    return Object.assign(draft, {
      endpoints: SortedTable.loading(),
      gateways: SortedTable.loading(),
      endpointNames: SortedTable.loading(),
      endpointsByNetwork: SortedTable.loading(),
      endpointsBySandbox: SortedTable.loading(),
      macs: SortedTable.loading(),
    });
  }

  get pools(): Pools {
    return this.#pools;
  }

  get vnis(): RangeSet {
    return this.#vnis;
  }

  get vniCursor(): bigint {
    return this.#vniCursor;
  }

  get memory(): RecordMemory {
    return this.#memory;
  }

  get course(): Course {
    return this.#course;
  }

  get epochFloor(): number {
    return this.#epochFloor;
  }

  /** Of a draft for loading: puts in order what came. @throws Error where two objects have one key */
  endLoading(): void {
    const { endpoints, gateways, endpointNames, endpointsByNetwork, endpointsBySandbox, macs } = this;
    for (const table of [endpoints, gateways, endpointNames, endpointsByNetwork, endpointsBySandbox, macs])
      table.endLoading();
  }

  /** The state that was written. The draft must not be written afterwards. */
  finish(ordinal: number, recordHash: string): State {
    return {
      ordinal,
      recordHash,
      stateHash: this.#hash.hex,
      hosts: this.hosts,
      networks: this.networks,
      endpoints: this.endpoints,
      gateways: this.gateways,
      networkNames: this.networkNames,
      parents: this.parents,
      endpointNames: this.endpointNames,
      endpointsByNetwork: this.endpointsByNetwork,
      endpointsBySandbox: this.endpointsBySandbox,
      macs: this.macs,
      publishedPorts: this.publishedPorts,
      hostNames: this.hostNames,
      hostAddresses: this.hostAddresses,
      downHosts: this.downHosts,
      pools: this.#pools,
      vnis: this.#vnis,
      vniCursor: this.#vniCursor,
      removedHosts: this.removedHosts,
      removals: this.removals,
      epochFloor: this.#epochFloor,
      course: this.#course,
      memory: this.#memory,
    };
  }

  /** Adds a host, or replaces the one of its name. */
  putHost(host: Host): void {
    const previous = this.hosts.get(host.name);
    if (previous !== undefined) this.removeHost(previous);
    this.hosts.set(host.name, host);
    this.hostNames.set(nameKey(host.name), host.name);
    this.hostAddresses.set(host.address, host.name);
    if (host.isDown) this.downHosts.set(host.name, host.epoch);
    this.#hash.add(hostMember(host));
  }

  removeHost(host: Host): void {
    this.hosts.delete(host.name);
    this.hostNames.delete(nameKey(host.name));
    this.hostAddresses.delete(host.address);
    this.downHosts.delete(host.name);
    this.#hash.remove(hostMember(host));
  }

  rememberRemoved(name: string, removed: RemovedHost): void {
    const key = nameKey(name);
    this.removedHosts.set(key, removed);
    this.removals.set(removed.ordinal, key);
    this.#hash.add(removedHostMember(key, removed));
  }

  /** Forgets a removal of which the memory exists. */
  forgetRemoved(key: string): RemovedHost {
    const removed = this.removedHosts.get(key);
    assert(removed !== undefined, 'a removal that is forgotten was remembered');
    this.removedHosts.delete(key);
    this.removals.delete(removed.ordinal);
    this.#hash.remove(removedHostMember(key, removed));
    return removed;
  }

  setEpochFloor(epoch: number): void {
    this.#hash.remove(registerMember('epoch-floor', BigInt(this.#epochFloor)));
    this.#epochFloor = epoch;
    this.#hash.add(registerMember('epoch-floor', BigInt(epoch)));
  }

  setCourse(course: Course): void {
    for (const member of courseMembers(this.#course)) this.#hash.remove(member);
    this.#course = course;
    for (const member of courseMembers(course)) this.#hash.add(member);
  }

  addNetwork(network: Network): void {
    this.networks.set(network.id, network);
    this.networkNames.set(nameKey(network.name), network.id);
    const parent = network.options[parentOption];
    if (parent !== undefined) this.parents.set(parent, network.id);
    this.#hash.add(networkMember(network));
  }

  removeNetwork(network: Network): void {
    this.networks.delete(network.id);
    this.networkNames.delete(nameKey(network.name));
    const parent = network.options[parentOption];
    if (parent !== undefined) this.parents.delete(parent);
    this.#hash.remove(networkMember(network));
  }

  addEndpoint(network: Network, endpoint: Endpoint): void {
    this.endpoints.set(endpoint.id, endpoint);
    if (endpoint.name !== undefined)
      this.endpointNames.set(endpointNameKey(network.id, endpoint.name), endpoint.id);
    if (endpoint.mac !== undefined) this.macs.set(macKey(network, endpoint.mac), endpoint.id);
    this.endpointsByNetwork.set(byNetworkKey(network, endpoint), endpoint.id);
    this.endpointsBySandbox.set(bySandboxKey(endpoint), endpoint.id);
    for (const key of portKeys(endpoint)) this.publishedPorts.set(key, endpoint.id);
    this.#hash.add(endpointMember(endpoint));
  }

  removeEndpoint(network: Network, endpoint: Endpoint): void {
    this.endpoints.delete(endpoint.id);
    if (endpoint.name !== undefined) this.endpointNames.delete(endpointNameKey(network.id, endpoint.name));
    if (endpoint.mac !== undefined) this.macs.delete(macKey(network, endpoint.mac));
    this.endpointsByNetwork.delete(byNetworkKey(network, endpoint));
    this.endpointsBySandbox.delete(bySandboxKey(endpoint));
    for (const key of portKeys(endpoint)) this.publishedPorts.delete(key);
    this.#hash.remove(endpointMember(endpoint));
  }

  addGateway(gateway: Endpoint): void {
    this.gateways.set(sandboxKey(gateway.host, gateway.sandbox.identity), gateway);
    this.#hash.add(endpointMember(gateway));
  }

  removeGateway(gateway: Endpoint): void {
    this.gateways.delete(sandboxKey(gateway.host, gateway.sandbox.identity));
    this.#hash.remove(endpointMember(gateway));
  }

  /** Adds a pool that none of its space overlaps. @param cursor for default pools, of a space that is new */
  addPool(pool: Pool, cursor: bigint): void {
    const isNewSpace = this.#pools.space(pool.space) === undefined;
    this.#pools = this.#pools.with(pool, cursor);
    this.#hash.add(poolMember(pool));
    if (isNewSpace) this.#addSpaceMember(pool.space);
  }

  /** Replaces a pool by a later form of it. */
  replacePool(before: Pool, after: Pool): void {
    this.#pools = this.#pools.withReplaced(after);
    if (before.cursors === after.cursors) return;
    this.#hash.remove(poolMember(before));
    this.#hash.add(poolMember(after));
  }

  removePool(pool: Pool): void {
    const space = this.#pools.space(pool.space);
    assert(space !== undefined, 'the space of a pool exists');
    this.#pools = this.#pools.without(pool);
    this.#hash.remove(poolMember(pool));
    if (this.#pools.space(pool.space) === undefined) this.#hash.remove(spaceMember(space));
  }

  setSpaceCursor(name: string, cursor: bigint): void {
    const before = this.#pools.space(name);
    assert(before !== undefined, 'a space has a cursor while it exists');
    this.#hash.remove(spaceMember(before));
    this.#pools = this.#pools.withCursor(name, cursor);
    this.#addSpaceMember(name);
  }

  /** Notes that an address of a pool was taken, beside the pool that has it. */
  noteTaken(pool: Pool, value: bigint): void {
    this.#hash.add(addressMember(pool, value));
  }

  noteReleased(pool: Pool, value: bigint): void {
    this.#hash.remove(addressMember(pool, value));
  }

  takeVni(vni: bigint): void {
    this.#vnis = this.#vnis.with(vni);
    this.#hash.add(vniMember(vni));
  }

  releaseVni(vni: bigint): void {
    this.#vnis = this.#vnis.without(vni);
    this.#hash.remove(vniMember(vni));
  }

  setVniCursor(cursor: bigint): void {
    this.#hash.remove(registerMember('vni-cursor', this.#vniCursor));
    this.#vniCursor = cursor;
    this.#hash.add(registerMember('vni-cursor', cursor));
  }

  /** Lets go of what has left the memory with that ordinal. Before `rememberRecord`, at every ordinal. */
  advanceMemory(ordinal: number): void {
    const next = memoryFor(this.#memory, ordinal);
    if (next === this.#memory) return;
    this.#hash.removeAll(SetHash.fromHex(this.#memory.previousHash));
    this.#memory = next;
  }

  rememberRecord(id: RecordId, ordinal: number): void {
    this.rememberRecords([[id, ordinal]]);
  }

  /** The same of many, of one stretch. */
  rememberRecords(records: readonly (readonly [RecordId, number])[]): void {
    const members = SetHash.empty();
    for (const [id, ordinal] of records) members.add(recentMember(id, ordinal));
    this.#memory = withRecords(this.#memory, records, members);
    this.#hash.addAll(members);
  }

  #addSpaceMember(name: string): void {
    const space = this.#pools.space(name);
    assert(space !== undefined, 'a space whose member is added exists');
    this.#hash.add(spaceMember(space));
  }
}

/** One at a time: each is written over by the next. */
export function* courseMembers({ past, present, next }: Course): IterableIterator<Uint8Array> {
  for (const log of past) yield pastLogMember(log);
  if (present !== undefined) yield presentLogMember(present);
  if (next !== undefined) yield nextLogMember(next);
}
