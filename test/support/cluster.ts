/**
 * A cluster's state made by hand, for tests of what lies behind the fold: every call does what an accepted record would,
 * and gives the changes with the state after them.
 */
import type { Change } from '../../core/fold/change.ts';
import { byNetworkKey, bySandboxKey } from '../../core/fold/index-keys.ts';
import { emptyState, type State } from '../../core/fold/state.ts';
import { SortedTable } from '../../core/lib/table.ts';
import type { IpAddress, Prefix } from '../../core/model/address.ts';
import {
  addressFromBigInt,
  type InterfaceAddress,
  parseAddress,
  parsePrefix,
  withLength,
} from '../../core/model/address.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Host } from '../../core/model/host.ts';
import {
  type EndpointId,
  endpointIdOf,
  type NetworkId,
  networkIdOf,
  type RecordId,
} from '../../core/model/ids.ts';
import { macOfAddress } from '../../core/model/mac.ts';
import type { Network } from '../../core/model/network.ts';
import type { Stamp } from '../../core/model/stamp.ts';

/** One record's worth: its changes, and the state after it. */
export interface ClusterStep {
  readonly changes: readonly Change[];
  readonly state: State;
}

export interface NetworkWishes {
  readonly driver?: string;
  readonly prefix?: string;
}

export interface EndpointWishes {
  readonly host: string;
  readonly sandbox: string;
  readonly identity?: string;
  readonly name?: string;
  readonly aliases?: readonly string[];
  readonly ifname?: string | undefined;
  /** Given where a test wants an address to be reused. */
  readonly address?: string;
}

export class Cluster {
  #ordinal = 0;
  #nextAddress = 0x0a000002n;
  readonly #hosts = new Map<string, Host>();
  readonly #networks = new Map<NetworkId, Network>();
  readonly #endpoints = new Map<EndpointId, Endpoint>();
  #state: State = emptyState();

  get state(): State {
    return this.#state;
  }

  get endpoints(): readonly Endpoint[] {
    return [...this.#endpoints.values()];
  }

  get networks(): readonly Network[] {
    return [...this.#networks.values()];
  }

  setHost(name: string, address: string, mtu = 1500): ClusterStep {
    const stamp = this.#stamp();
    const previous = this.#hosts.get(name);
    const host: Host = {
      name,
      address: ip(address),
      identity: '0'.repeat(32),
      epoch: (previous?.epoch ?? 0) + 1,
      mtu,
      version: '0.1.0',
      joined: stamp.ordinal,
      isDown: false,
      created: previous?.created ?? stamp,
      changed: stamp,
    };
    this.#hosts.set(name, host);
    return this.#step([{ type: 'host-set', host, ...(previous === undefined ? {} : { previous }) }]);
  }

  takeDown(name: string): ClusterStep {
    const stamp = this.#stamp();
    const previous = this.#hosts.get(name);
    if (previous === undefined) throw new Error(`no host ${name}`);
    const host = { ...previous, isDown: true, changed: stamp };
    this.#hosts.set(name, host);
    return this.#step([{ type: 'host-set', host, previous }]);
  }

  /** Releases its endpoints too. */
  removeHost(name: string): ClusterStep {
    this.#stamp();
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    this.#hosts.delete(name);
    const released = this.endpoints.filter((endpoint) => endpoint.host === name);
    for (const endpoint of released) this.#endpoints.delete(endpoint.id);
    return this.#step([
      { type: 'host-removed', host, isExpired: false },
      ...released.map((endpoint): Change => ({ type: 'endpoint-removed', endpoint, reason: 'host-removed' })),
    ]);
  }

  addNetwork(name: string, wishes: NetworkWishes = {}): ClusterStep & { readonly network: Network } {
    const stamp = this.#stamp();
    const prefix = cidr(wishes.prefix ?? '10.0.0.0/8');
    const network: Network = {
      id: networkIdOf(recordId(stamp.ordinal)),
      name,
      driver: wishes.driver ?? 'overlay',
      vni: 255 + stamp.ordinal,
      subnets: [{ prefix, gateway: ip('10.0.0.1'), aux: [] }],
      ipv6: false,
      space: 'default',
      internal: false,
      options: {},
      labels: {},
      created: stamp,
      changed: stamp,
    };
    this.#networks.set(network.id, network);
    return { ...this.#step([{ type: 'network-added', network }]), network };
  }

  removeNetwork(id: NetworkId): ClusterStep {
    this.#stamp();
    const network = this.#network(id);
    this.#networks.delete(id);
    return this.#step([{ type: 'network-removed', network }]);
  }

  addEndpoint(network: NetworkId, wishes: EndpointWishes): ClusterStep & { readonly endpoint: Endpoint } {
    const stamp = this.#stamp();
    const address =
      wishes.address === undefined ? addressFromBigInt(this.#nextAddress++, 4) : ip(wishes.address);
    const mac = macOfAddress(address);
    const ifname = 'ifname' in wishes ? wishes.ifname : this.#freeInterface(wishes);
    const endpoint: Endpoint = {
      id: endpointIdOf(recordId(stamp.ordinal)),
      network,
      ...(wishes.name === undefined ? {} : { name: wishes.name }),
      aliases: wishes.aliases ?? [],
      host: wishes.host,
      sandbox: { ref: wishes.sandbox, identity: identityOf(wishes) },
      ...(ifname === undefined ? {} : { ifname }),
      ...(mac === undefined ? {} : { mac }),
      addresses: [withLength(address, 8) satisfies InterfaceAddress],
      created: stamp,
      changed: stamp,
    };
    this.#endpoints.set(endpoint.id, endpoint);
    return { ...this.#step([{ type: 'endpoint-added', endpoint }]), endpoint };
  }

  removeEndpoint(id: EndpointId): ClusterStep {
    this.#stamp();
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) throw new Error(`no endpoint ${id}`);
    this.#endpoints.delete(id);
    return this.#step([{ type: 'endpoint-removed', endpoint, reason: 'requested' }]);
  }

  #stamp(): Stamp {
    this.#ordinal += 1;
    return { ordinal: this.#ordinal, host: 'a', by: 'test', at: 0 };
  }

  #network(id: NetworkId): Network {
    const network = this.#networks.get(id);
    if (network === undefined) throw new Error(`no network ${id}`);
    return network;
  }

  #freeInterface(wishes: EndpointWishes): string {
    const taken = this.endpoints
      .filter(({ host, sandbox }) => host === wishes.host && sandbox.ref === wishes.sandbox)
      .filter(({ sandbox }) => sandbox.identity === identityOf(wishes))
      .map(({ ifname }) => ifname);
    for (let n = 0; ; n += 1) if (!taken.includes(`eth${n}`)) return `eth${n}`;
  }

  /** Tables are made anew: slow, and nothing to get wrong. */
  #step(changes: readonly Change[]): ClusterStep {
    const base = emptyState();
    const endpointsByNetwork = SortedTable.empty<string, EndpointId>();
    const endpointsBySandbox = SortedTable.empty<string, EndpointId>();
    for (const endpoint of this.#endpoints.values()) {
      endpointsByNetwork.set(byNetworkKey(this.#network(endpoint.network), endpoint), endpoint.id);
      endpointsBySandbox.set(bySandboxKey(endpoint), endpoint.id);
    }
    const down = [...this.#hosts.values()].filter(({ isDown }) => isDown);
    this.#state = {
      ...base,
      ordinal: this.#ordinal,
      hosts: tableOf(this.#hosts),
      downHosts: tableOf(new Map(down.map(({ name, epoch }) => [name, epoch]))),
      networks: tableOf(this.#networks),
      endpoints: tableOf(this.#endpoints),
      endpointsByNetwork,
      endpointsBySandbox,
    };
    return { changes, state: this.#state };
  }
}

function identityOf(wishes: EndpointWishes): string {
  return wishes.identity ?? `of-${wishes.sandbox}`;
}

function recordId(ordinal: number): RecordId {
  return ordinal.toString(16).padStart(32, '0') as RecordId;
}

function tableOf<K extends string, V>(rows: ReadonlyMap<K, V>): SortedTable<K, V> {
  const table = SortedTable.empty<K, V>();
  for (const [key, value] of rows) table.set(key, value);
  return table;
}

function ip(text: string): IpAddress {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`no address: ${text}`);
  return address;
}

function cidr(text: string): Prefix {
  const parsed = parsePrefix(text);
  if ('fault' in parsed) throw new Error(`no prefix: ${text}`);
  return parsed.prefix;
}
