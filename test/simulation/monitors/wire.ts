/**
 * Whether frames and names would reach the endpoints of a network, read off the kernels' objects link by link. It knows
 * the state of the fold and how Linux forwards, and shares nothing with drivers, comparison and planning: a fault in
 * those is a fault in every oracle that is made of them.
 */
import { sandboxNamespace } from '../../../core/dataplane/namespace.ts';
import type { KernelObject, Link } from '../../../core/dataplane/object.ts';
import type { State } from '../../../core/fold/state.ts';
import { addressOf } from '../../../core/model/address.ts';
import type { Endpoint } from '../../../core/model/endpoint.ts';
import type { Network } from '../../../core/model/network.ts';

/** RFC 7348 §5, over IPv4. */
const outerHeaderBytes = 50;
const vxlanPort = 4789;

/**
 * What is wrong with whom a host's overlays take frames from, one line each: of the VNIs that its tunnels have, from the
 * addresses of the cluster's other hosts, and no others. @param objects all that its kernel has
 */
export function strangerFaults(objects: readonly KernelObject[], host: string, state: State): string[] {
  const found: string[] = [];
  const wanted: string[] = [];
  for (const each of objects) {
    if (each.kind === 'nft-element' && /^(vnis|vteps[46])$/.test(each.set))
      found.push(`${each.set} ${each.key.join(' ')}`);
    if (each.kind === 'link' && each.owner.startsWith('network:') && each.type.type === 'vxlan')
      wanted.push(`vnis ${each.type.vni}`);
  }
  if (wanted.length > 0) {
    for (const { name, address } of state.hosts.values())
      if (name !== host) wanted.push(`vteps${address.includes(':') ? 6 : 4} ${address}`);
  }
  const lacking = wanted.filter((each) => !found.includes(each));
  const surplus = found.filter((each) => !wanted.includes(each));
  return [
    ...lacking.map((each) => `frames are dropped, or taken from anybody, for want of ${each}`),
    ...surplus.map((each) => `frames are taken from a stranger for ${each}`),
  ];
}

/** What is wrong with the ways from and to a host's endpoints, one line each. @param objects all that its kernel has */
export function wireFaults(objects: readonly KernelObject[], host: string, state: State): string[] {
  const faults: string[] = [];
  for (const endpoint of state.endpoints.values()) {
    if (endpoint.host !== host || endpoint.ifname === undefined) continue;
    const network = state.networks.get(endpoint.network);
    if (network !== undefined) new Way(objects, state, network, endpoint, faults).check();
  }
  return faults;
}

class Way {
  readonly #objects: readonly KernelObject[];
  readonly #state: State;
  readonly #network: Network;
  readonly #endpoint: Endpoint;
  readonly #faults: string[];

  constructor(
    objects: readonly KernelObject[],
    state: State,
    network: Network,
    endpoint: Endpoint,
    faults: string[],
  ) {
    this.#objects = objects;
    this.#state = state;
    this.#network = network;
    this.#endpoint = endpoint;
    this.#faults = faults;
  }

  check(): void {
    const { sandbox, ifname, mac, addresses } = this.#endpoint;
    const ns = sandboxNamespace(sandbox.ref);
    const inside = this.#link((link) => link.ns === ns && link.name === ifname);
    if (inside === undefined) return this.#say('no interface');
    if (!inside.up) this.#say('its interface is down');
    // Without one of its own it has its parent's.
    if (mac !== undefined && inside.mac !== mac) this.#say(`its interface has ${inside.mac}`);
    for (const address of addresses) {
      const isThere = this.#objects.some(
        (each) =>
          each.kind === 'address' && each.ns === ns && each.link === ifname && each.address === address,
      );
      if (!isThere) this.#say(`no ${address}`);
    }
    this.#checkNames(ns);
    const { type } = inside;
    const isOverlay = this.#network.driver === 'overlay';
    if (!isOverlay && this.#network.driver !== 'bridge') return this.#checkParent(inside);
    if (isOverlay) this.#checkSize(inside);
    this.#checkPorts();
    if (type.type !== 'veth') return this.#say('no veth');
    const outside = this.#link((link) => link.ns === type.peer.ns && link.name === type.peer.name);
    if (outside === undefined) return this.#say('no other end');
    this.#checkBridge(outside);
  }

  /** Of what is stacked on a link of the host's: that is there, and the frames go out by it. */
  #checkParent({ type }: Link): void {
    if (!('parent' in type) || type.type !== this.#network.driver)
      return this.#say(`no ${this.#network.driver}`);
    const asked = this.#network.options['parent'];
    if (asked !== undefined && asked !== type.parent.name) this.#say(`its parent is ${type.parent.name}`);
  }

  /** A full frame with the outer headers around it fits every host's underlay. */
  #checkSize(link: Link): void {
    const mtuMin = Math.min(...[...this.#state.hosts.values()].map(({ mtu }) => mtu));
    if ((link.mtu ?? 0) + outerHeaderBytes > mtuMin) this.#say(`${link.name} has MTU ${link.mtu}`);
  }

  #checkBridge(outside: Link): void {
    if (!outside.up) this.#say('its other end is down');
    if (outside.port?.flood !== false || outside.port.learning) this.#say('its port floods or learns');
    const bridge = this.#link((link) => link.ns === outside.ns && link.name === outside.master);
    if (bridge?.type.type !== 'bridge' || !bridge.up) return this.#say('no bridge');
    for (const { gateway } of this.#network.subnets) {
      const isThere = this.#objects.some(
        (each) =>
          each.kind === 'address' &&
          each.ns === bridge.ns &&
          each.link === bridge.name &&
          addressOf(each.address) === gateway,
      );
      if (!isThere) this.#say(`no gateway ${gateway}`);
    }
    const isBehind = this.#objects.some(
      (each) =>
        each.kind === 'fdb' &&
        each.ns === bridge.ns &&
        each.link === outside.name &&
        each.remote === undefined &&
        each.mac === this.#endpoint.mac,
    );
    if (!isBehind) this.#say('the bridge does not know where it is');
    if (this.#network.driver !== 'overlay') return;
    const tunnel = this.#link(
      (link) => link.ns === bridge.ns && link.master === bridge.name && link.type.type === 'vxlan',
    );
    if (tunnel === undefined) this.#say('no tunnel');
    else this.#checkTunnel(tunnel);
  }

  /** What comes to a port of the host goes to the endpoint's own; on an overlay by whatever is its sandbox's way out. */
  #checkPorts(): void {
    const isOverlay = this.#network.driver === 'overlay';
    const targets = isOverlay ? this.#sandboxAddresses() : this.#endpoint.addresses.map(addressOf);
    for (const { protocol, address, hostPort, port } of this.#endpoint.ports ?? []) {
      const family = address.includes(':') ? 6 : 4;
      const isEverywhere = address === '0.0.0.0' || address === '::';
      const place = `${protocol} ${hostPort}`;
      const set = `${isEverywhere ? 'anywhere' : 'published'}${family}`;
      const key = isEverywhere ? place : `${address} ${place}`;
      const element = this.#objects.find(
        (each) => each.kind === 'nft-element' && each.set === set && each.key.join(' ') === key,
      );
      const target = element?.kind === 'nft-element' ? element.value?.join(' ') : undefined;
      const isRight = targets.some((own) => target === `${own} ${port}`);
      // A sandbox on an overlay may have no way out.
      if (!isRight && !(isOverlay && target === undefined))
        this.#say(`port ${address} ${place} leads to ${target}`);
    }
  }

  /** Of all interfaces of the endpoint's sandbox. */
  #sandboxAddresses(): string[] {
    const { host, sandbox } = this.#endpoint;
    return [...this.#state.endpoints.values(), ...this.#state.gateways.values()]
      .filter((each) => each.host === host && each.sandbox.identity === sandbox.identity)
      .flatMap(({ addresses }) => addresses.map(addressOf));
  }

  #checkTunnel(tunnel: Link): void {
    if (tunnel.type.type !== 'vxlan') return;
    const { vni, local, port } = tunnel.type;
    if (vni !== this.#network.vni) this.#say(`its tunnel has VNI ${vni}`);
    if (local !== this.#state.hosts.get(this.#endpoint.host)?.address || port !== vxlanPort)
      this.#say(`its tunnel is at ${local} port ${port}`);
    if (!tunnel.up || tunnel.port?.learning !== false) this.#say('its tunnel is down or learns');
    this.#checkSize(tunnel);
    const fdb: string[] = [];
    const neighbours: string[] = [];
    for (const other of this.#state.endpoints.values()) {
      if (other.network !== this.#network.id || other.host === this.#endpoint.host) continue;
      fdb.push(`${other.mac} ${this.#state.hosts.get(other.host)?.address}`);
      for (const address of other.addresses) neighbours.push(`${addressOf(address)} ${other.mac}`);
    }
    const found: { fdb: string[]; neighbours: string[] } = { fdb: [], neighbours: [] };
    for (const each of this.#objects) {
      if (each.ns !== tunnel.ns || !('link' in each) || each.link !== tunnel.name) continue;
      if (each.kind === 'fdb') found.fdb.push(`${each.mac} ${each.remote}`);
      else if (each.kind === 'neighbour') found.neighbours.push(`${each.address} ${each.mac}`);
    }
    this.#compare('FDB', fdb, found.fdb);
    this.#compare('neighbours', neighbours, found.neighbours);
  }

  /**
   * Every endpoint of the network that has a name is found by it, alone and with the network's behind; one of another
   * host that is down is not.
   */
  #checkNames(ns: Link['ns']): void {
    const file = this.#objects.find((each) => each.kind === 'hosts' && each.ns === ns);
    const lines = new Set<string>();
    if (file?.kind === 'hosts')
      for (const { address, names } of file.entries)
        for (const name of names) lines.add(`${address} ${name}`);
    for (const other of this.#state.endpoints.values()) {
      if (other.network !== this.#network.id || other.name === undefined) continue;
      // A bridge is each host's own.
      if (this.#network.driver === 'bridge' && other.host !== this.#endpoint.host) continue;
      for (const address of other.addresses.map(addressOf)) {
        const names = [other.name, `${other.name}.${this.#network.name}`];
        const host = this.#state.hosts.get(other.host);
        if (host?.isDown === true && other.host !== this.#endpoint.host) {
          if (lines.has(`${address} ${names[1]}`))
            this.#say(`${names[1]} is ${address}, on a host that is down`);
          continue;
        }
        for (const name of names)
          if (!lines.has(`${address} ${name}`)) this.#say(`${name} is not ${address}`);
      }
    }
  }

  #compare(what: string, wanted: string[], found: string[]): void {
    const [expected, actual] = [wanted.sort().join(', '), found.sort().join(', ')];
    if (expected !== actual) this.#say(`its ${what} are ${actual || 'none'} for ${expected || 'none'}`);
  }

  #link(matches: (link: Link) => boolean): Link | undefined {
    return this.#objects.find((each): each is Link => each.kind === 'link' && matches(each));
  }

  #say(fault: string): void {
    this.#faults.push(`endpoint ${this.#endpoint.id.slice(0, 12)} on ${this.#network.name}: ${fault}`);
  }
}
