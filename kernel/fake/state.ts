/**
 * What the fake machine holds: namespaces, the links in them, and what is on each link. Plain mutable data; the rules
 * by which it changes are in `links.ts` and `entries.ts`.
 */
import type { DroppingChain } from '../../core/dataplane/dropping-chain.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import { type Namespace, parseNamespace } from '../../core/dataplane/namespace.ts';
import type {
  Address,
  FdbEntry,
  KernelObject,
  Link,
  Neighbour,
  NftElement,
  Route,
} from '../../core/dataplane/object.ts';
import { linkOfSysctl } from '../../core/dataplane/sysctl.ts';
import { familyOf, prefixOf } from '../../core/model/address.ts';
import type { FakeFlow } from './flows.ts';

/** What lives on a link and goes with it. */
export type Entry = Address | Route | Neighbour | FdbEntry;

/** `ours`: carries weft's protocol number, as what the port's `apply` made does. */
export interface Held {
  readonly object: Entry;
  readonly ours: boolean;
}

export interface FakeLink {
  link: Link;
  /** By key, in the order in which they were made: the first IPv4 address of a prefix is its primary one. */
  readonly entries: Map<string, Held>;
}

export interface FakeNamespace {
  readonly ns: Namespace;
  /** Never given twice, like a namespace cookie. */
  readonly identity: string;
  readonly links: Map<string, FakeLink>;
  /** Those that differ from what the kernel gives. */
  readonly sysctls: Map<string, string>;
  /** weft's nftables table, where there is one. */
  firewall: FakeFirewall | undefined;
  /** Chains of other firewalls. */
  droppingChains: readonly DroppingChain[];
  /** Of datagrams to ports of the host. */
  flows: readonly FakeFlow[];
}

export interface FakeFirewall {
  intact: boolean;
  /** By key. */
  readonly elements: Map<string, NftElement>;
}

export function addressesOf(holder: FakeLink): { readonly object: Address; readonly ours: boolean }[] {
  const addresses = [];
  for (const { object, ours } of holder.entries.values()) {
    if (object.kind === 'address') addresses.push({ object, ours });
  }
  return addresses;
}

export function routesOf(holder: FakeLink): Route[] {
  const routes = [];
  for (const { object } of holder.entries.values()) if (object.kind === 'route') routes.push(object);
  return routes;
}

/** True for links with weft's alias, and for loopback. */
export function isVisibleLink({ link }: FakeLink): boolean {
  return link.owner !== '' || link.type.type === 'loopback';
}

/**
 * True for what the port reports: in an owned namespace whatever is on a link of weft's, elsewhere what weft put there
 * and the connected routes of such addresses.
 */
export function isVisibleEntry(holder: FakeLink, { object, ours }: Held): boolean {
  if (holder.link.owner === '') return false;
  if (ours || parseNamespace(object.ns).type === 'owned') return true;
  if (object.kind !== 'route' || object.protocol !== 'kernel') return false;
  return addressesOf(holder).some(
    (address) => address.ours && prefixOf(address.object.address) === object.destination,
  );
}

/** True for what only exists with IPv6 on its link. */
export function isIpv6(object: Entry): boolean {
  if (object.kind === 'fdb') return false;
  return familyOf(object.kind === 'route' ? object.destination : object.address) === 6;
}

/** The value of a sysctl; undefined where there is none of that name. All that are not modelled are 0. */
export function readSysctl(namespace: FakeNamespace, name: string): string | undefined {
  if (!name.startsWith('net/')) return undefined;
  const link = linkOfSysctl(name);
  if (link !== undefined && !namespace.links.has(link)) return undefined;
  return namespace.sysctls.get(name) ?? '0';
}

export function hasIpv6(namespace: FakeNamespace, link: Link): boolean {
  return readSysctl(namespace, disableIpv6(link.name)) !== '1' && (link.mtu ?? ipv6MtuMin) >= ipv6MtuMin;
}

/** RFC 8200 §5; the kernel takes IPv6 off a link with less. */
const ipv6MtuMin = 1280;

export function disableIpv6(link: string): string {
  return `net/ipv6/conf/${link}/disable_ipv6`;
}

/** Every object of the namespace that the port reports, sysctls apart. */
export function visibleObjects(namespace: FakeNamespace): KernelObject[] {
  const objects: KernelObject[] = [];
  if (parseNamespace(namespace.ns).type === 'owned') objects.push({ kind: 'netns', ns: namespace.ns });
  if (namespace.firewall !== undefined) {
    objects.push({ kind: 'nft-table', ns: namespace.ns, intact: namespace.firewall.intact });
    objects.push(...namespace.firewall.elements.values());
  }
  objects.push(...acceptsOf(namespace));
  for (const holder of namespace.links.values()) {
    if (isVisibleLink(holder)) objects.push(holder.link);
    for (const held of holder.entries.values()) if (isVisibleEntry(holder, held)) objects.push(held.object);
  }
  return objects;
}

/** weft's rule in chains of others, while anything is marked or any of them has it. */
function acceptsOf({ ns, firewall, droppingChains }: FakeNamespace): KernelObject[] {
  const isMarking = [...(firewall?.elements.values() ?? [])].some(({ set }) => set === 'marked');
  if (!isMarking && !droppingChains.some(({ accepts }) => accepts)) return [];
  return [{ kind: 'nft-accepts', ns, complete: droppingChains.every(({ accepts }) => accepts) }];
}

/** Everything in the namespace that the port does not report, for showing that it is left alone. */
export function foreignObjects(namespace: FakeNamespace): KernelObject[] {
  const visible = new Set(visibleObjects(namespace).map(keyOf));
  const all: KernelObject[] = [];
  for (const holder of namespace.links.values()) {
    all.push(holder.link, ...[...holder.entries.values()].map(({ object }) => object));
  }
  return all.filter((object) => !visible.has(keyOf(object)));
}
