/**
 * Arbitrary sets of kernel objects that could be desired: names are few, so that two sets collide often, and each set
 * is consistent (a port's bridge is there, pairs have both ends, addresses bring their connected routes, VNIs are
 * taken once), which is what drivers owe the reconciler.
 */
import fc from 'fast-check';
import { connectedRouteOf } from '../../core/dataplane/connected.ts';
import { keyOf, linkKey } from '../../core/dataplane/key.ts';
import {
  hostNamespace,
  type Namespace,
  ownedNamespace,
  sandboxNamespace,
} from '../../core/dataplane/namespace.ts';
import type { Address, KernelObject, Link } from '../../core/dataplane/object.ts';
import {
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  type Prefix,
  parseInterfaceAddress,
  prefixOf,
} from '../../core/model/address.ts';
import type { Mac } from '../../core/model/mac.ts';

export const owned: readonly Namespace[] = [ownedNamespace('weft-a'), ownedNamespace('weft-b')];
export const sandboxes: readonly string[] = ['red', 'blue'];

const macs = ['02:42:0a:00:01:02', '02:42:0a:00:01:03', '02:42:0a:00:02:02'] as Mac[];
const vteps = ['192.168.2.15', '192.168.2.200'] as IpAddress[];
const addresses = [
  '10.0.1.1/24',
  '10.0.1.2/24',
  '10.0.1.2/16',
  '10.0.2.1/24',
  '10.9.9.9/32',
  'fd00:1::1/64',
  'fd00:1::2/64',
]
  .map(parseInterfaceAddress)
  .filter((address): address is InterfaceAddress => address !== undefined);
const names = ['w0', 'w1', 'w2', 'w3'];

/** What one drawing decides for a link; what does not fit the link is left out. */
const trimmings = fc.record({
  mtu: fc.constantFrom(1400, 1450),
  mac: fc.option(fc.constantFrom(...macs), { nil: undefined }),
  port: fc.option(fc.record({ learning: fc.boolean(), flood: fc.boolean() }), { nil: undefined }),
  addresses: fc.subarray(addresses, { maxLength: 3 }),
  beyond: fc.boolean(),
  neighbours: fc.subarray(['10.0.1.2', '10.0.1.3', 'fd00:1::3'] as IpAddress[]),
  mac2: fc.constantFrom(...macs),
  fdb: fc.subarray(macs),
  vtep: fc.constantFrom(...vteps),
  sysctl: fc.option(fc.constantFrom('0', '1', '2'), { nil: undefined }),
});
type Trimmings = typeof trimmings extends fc.Arbitrary<infer T> ? T : never;

const place = fc.record({
  ns: fc.constantFrom(...owned, ...sandboxes.map(sandboxNamespace)),
  name: fc.constantFrom(...names),
});

const drawing = fc.record({
  present: fc.tuple(fc.boolean(), fc.boolean()),
  forwarding: fc.boolean(),
  bridges: fc.array(fc.record({ at: place, with: trimmings }), { maxLength: 2 }),
  vxlans: fc.array(
    fc.record({
      at: place,
      vni: fc.integer({ min: 300, max: 302 }),
      local: fc.constantFrom(...vteps),
      with: trimmings,
    }),
    { maxLength: 2 },
  ),
  parents: fc.subarray(['dm0', 'dm1']),
  vlans: fc.array(fc.record({ parent: fc.constantFrom('dm0', 'dm1'), id: fc.constantFrom(50, 51) }), {
    maxLength: 2,
  }),
  stacks: fc.array(
    fc.record({ at: place, parent: fc.nat(4), mode: fc.constantFrom('bridge', 'private'), with: trimmings }),
    { maxLength: 3 },
  ),
  pairs: fc.array(fc.record({ a: place, b: place, withA: trimmings, withB: trimmings }), { maxLength: 3 }),
  hosts: fc.option(fc.subarray(['web', 'db']), { nil: undefined }),
  firewall: fc.option(
    fc.record({
      bridges: fc.subarray(names),
      neighbours: fc.subarray(names),
    }),
    { nil: undefined },
  ),
});

type Drawing = typeof drawing extends fc.Arbitrary<infer T> ? T : never;

/** A consistent set of objects. */
export const desiredSet: fc.Arbitrary<KernelObject[]> = drawing.map((drawn) => {
  const set = new SetBuilder();
  owned.forEach((ns, index) => {
    if (drawn.present[index] === true) set.addNamespace(ns, drawn.forwarding);
  });
  for (const ref of sandboxes) set.addLoopback(sandboxNamespace(ref));
  for (const { at, with: extra } of drawn.bridges) {
    if (set.isFree(at)) set.addLink({ ...set.link(at, extra), type: { type: 'bridge' } }, extra);
  }
  const vnis = new Set<number>();
  for (const { at, vni, local, with: extra } of drawn.vxlans) {
    if (!set.isFree(at) || vnis.has(vni)) continue;
    vnis.add(vni);
    set.addLink(
      { ...set.link(at, extra), type: { type: 'vxlan', vni, local, port: 4789 }, ...set.plug(at.ns, extra) },
      extra,
    );
  }
  for (const { a, b, withA, withB } of drawn.pairs) {
    if (!set.isFree(a) || !set.isFree(b) || linkKey(a.ns, a.name) === linkKey(b.ns, b.name)) continue;
    set.addLink({ ...set.link(a, withA), type: { type: 'veth', peer: b }, ...set.plug(a.ns, withA) }, withA);
    set.addLink({ ...set.link(b, withB), type: { type: 'veth', peer: a }, ...set.plug(b.ns, withB) }, withB);
  }
  const parents = set.addParents(drawn);
  for (const { at, parent, mode, with: extra } of drawn.stacks) {
    const on = parents[parent % parents.length];
    if (on !== undefined && set.isFree(at)) set.addStacked(at, on, mode, extra);
  }
  if (drawn.hosts !== undefined) {
    set.add({
      kind: 'hosts',
      ns: sandboxNamespace('red'),
      entries: [{ address: '10.0.1.2' as IpAddress, names: drawn.hosts }],
    });
  }
  if (drawn.firewall !== undefined) set.addFirewall(drawn.firewall);
  return [...set.objects.values()];
});

interface Place {
  readonly ns: Namespace;
  readonly name: string;
}

class SetBuilder {
  readonly objects: Map<string, KernelObject> = new Map();
  readonly #namespaces: Set<Namespace> = new Set(sandboxes.map(sandboxNamespace));
  readonly #bridges: Map<Namespace, string> = new Map();

  add(object: KernelObject): void {
    this.objects.set(keyOf(object), object);
  }

  addNamespace(ns: Namespace, forwarding: boolean): void {
    this.#namespaces.add(ns);
    this.add({ kind: 'netns', ns });
    this.addLoopback(ns);
    if (forwarding) this.add({ kind: 'sysctl', ns, name: 'net/ipv4/ip_forward', value: '1' });
  }

  addLoopback(ns: Namespace): void {
    this.add({ kind: 'link', ns, name: 'lo', owner: '', up: true, type: { type: 'loopback' } });
  }

  addFirewall({ bridges, neighbours }: NonNullable<Drawing['firewall']>): void {
    const ns = hostNamespace;
    this.add({ kind: 'nft-table', ns, intact: true });
    for (const name of bridges) this.add({ kind: 'nft-element', ns, set: 'bridges', key: [name] });
    for (const name of neighbours) {
      this.add({ kind: 'nft-element', ns, set: 'neighbours', key: [name, name] });
    }
  }

  /** Links of the host's that others are stacked on; returns their places. */
  addParents({ parents, vlans }: Pick<Drawing, 'parents' | 'vlans'>): Place[] {
    const common = { kind: 'link', ns: hostNamespace, up: true } as const;
    const places = parents.map((name) => ({ ns: hostNamespace, name }));
    for (const { name } of places)
      this.add({ ...common, name, owner: `test:${name}`, type: { type: 'dummy' } });
    for (const { parent, id } of vlans) {
      if (!parents.includes(parent)) continue;
      const at = { ns: hostNamespace, name: `${parent}.${id}` };
      const type = { type: 'vlan', parent: { ns: hostNamespace, name: parent }, id } as const;
      this.add({ ...common, ...at, owner: `test:${at.name}`, type });
      places.push(at);
    }
    return places;
  }

  /** Of one kind on each parent, for the kernel takes no two. */
  addStacked(at: Place, parent: Place, mode: 'bridge' | 'private', extra: Trimmings): void {
    const { mac, ...link } = this.link(at, extra);
    if (parent.name.startsWith('dm1')) {
      this.addLink({ ...link, type: { type: 'ipvlan', parent, mode: 'l2', flag: mode } }, extra);
    } else {
      const own = mac === undefined ? {} : { mac };
      this.addLink({ ...link, ...own, type: { type: 'macvlan', parent, mode } }, extra);
    }
  }

  isFree({ ns, name }: Place): boolean {
    return this.#namespaces.has(ns) && !this.objects.has(linkKey(ns, name));
  }

  link({ ns, name }: Place, { mtu, mac }: Trimmings): Omit<Link, 'type'> {
    return {
      kind: 'link',
      ns,
      name,
      owner: `test:${name}`,
      up: true,
      mtu,
      ...(mac === undefined ? {} : { mac }),
    };
  }

  plug(ns: Namespace, { port }: Trimmings): Pick<Link, 'master' | 'port'> {
    const master = this.#bridges.get(ns);
    return master === undefined || port === undefined ? {} : { master, port };
  }

  addLink(link: Link, extra: Trimmings): void {
    if (link.type.type === 'bridge') this.#bridges.set(link.ns, link.name);
    this.add(link);
    this.#addAddresses(link, extra);
    const on = { ns: link.ns, link: link.name };
    for (const address of extra.neighbours) this.add({ kind: 'neighbour', ...on, address, mac: extra.mac2 });
    for (const mac of extra.fdb) {
      if (link.type.type === 'vxlan') this.add({ kind: 'fdb', ...on, mac, remote: extra.vtep });
      else if (link.master !== undefined) this.add({ kind: 'fdb', ...on, mac });
    }
    if (extra.sysctl !== undefined) {
      this.add({
        kind: 'sysctl',
        ns: link.ns,
        name: `net/ipv4/conf/${link.name}/rp_filter`,
        value: extra.sysctl,
      });
    }
  }

  /** One address of each prefix, each with its connected route, and perhaps a route through the first. */
  #addAddresses(link: Link, extra: Trimmings): void {
    const prefixes = new Set<string>();
    for (const address of extra.addresses) {
      const object: Address = { kind: 'address', ns: link.ns, link: link.name, address };
      if ([...prefixes].some((prefix) => prefix === prefixOf(address))) continue;
      prefixes.add(prefixOf(address));
      this.add(object);
      const route = connectedRouteOf(object);
      if (route === undefined) continue;
      this.add(route);
      if (!extra.beyond || familyOf(address) === 6) continue;
      const via = '10.0.1.250' as IpAddress;
      if (prefixOf(address) !== '10.0.1.0/24') continue;
      this.add({
        kind: 'route',
        ns: link.ns,
        link: link.name,
        destination: '10.77.0.0/16' as Prefix,
        via,
        protocol: 'weft',
      });
    }
  }
}
