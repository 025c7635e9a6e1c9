/**
 * What of a namespace is weft's.
 *
 * In its own namespaces: its links, and everything on them (so strays are found), but for what the kernel makes by
 * itself. In the host's: links with its alias, and on them only what carries weft's protocol number, with the routes that
 * came with its addresses; and the nftables table of its name. In a user's sandbox: veth ends whose mates lie in the
 * host's or in weft's own namespaces, links that are stacked on one there, and on them as on the host. Foreign objects are not reported and so never touched.
 */
import { connectedRouteOf } from '../core/dataplane/connected.ts';
import { type Namespace, parseNamespace } from '../core/dataplane/namespace.ts';
import type { Address, FdbEntry, Link, Neighbour, Route } from '../core/dataplane/object.ts';
import type { PeerFinder } from './netns/peers.ts';
import type { NamespaceHandle, NamespaceRegistry } from './netns/registry.ts';
import type { AddressRecord } from './objects/address.ts';
import { type FdbRecord, toFdbEntry } from './objects/fdb-entry.ts';
import { dumpLinks, type LinkRecord, toLink } from './objects/link.ts';
import type { NeighbourRecord } from './objects/neighbour.ts';
import type { RouteRecord } from './objects/route.ts';

/** weft's links in a namespace, loopback included, by number. */
export type OwnLinks = ReadonlyMap<number, Link>;

/** Equivalent to: ip -d link show, cut down to what is weft's. */
export function readOwnLinks(
  registry: NamespaceRegistry,
  peers: PeerFinder,
  handle: NamespaceHandle,
): OwnLinks {
  const records = dumpLinks(handle.requests);
  const names = new Map(records.map((record) => [record.index, record.name]));
  return toOwnLinks(registry, peers, handle, records, names);
}

/** The same for some links, when the names of all are known. */
export function toOwnLinks(
  registry: NamespaceRegistry,
  peers: PeerFinder,
  handle: NamespaceHandle,
  records: readonly LinkRecord[],
  names: ReadonlyMap<number, string>,
): OwnLinks {
  const marked = records.filter((record) => record.loopback || record.weft !== undefined);
  const peerOf = peers.find(handle, marked);
  const links = new Map<number, Link>();
  for (const record of marked) {
    const peer = peerOf.get(record.index);
    const link = toLink(record, {
      ns: handle.ns,
      names,
      ...(peer === undefined ? {} : { peer }),
      underlayIsHome: record.type !== 'vxlan' || peers.underlayIsHome(handle, record),
    });
    if (link !== undefined && isOwn(registry, handle, link)) links.set(record.index, link);
  }
  return links;
}

/** Another daemon's link in a sandbox that both serve has an alias of weft's too, but leads to that daemon's namespace. */
function isOwn(registry: NamespaceRegistry, handle: NamespaceHandle, link: Link): boolean {
  if (handle.type !== 'sandbox' || link.type.type === 'loopback') return true;
  if (link.type.type === 'veth') return isHomeOfWeft(registry, link.type.peer.ns);
  return 'parent' in link.type && isHomeOfWeft(registry, link.type.parent.ns);
}

/** Where the bridges are that sandboxes are plugged into: the host's namespace, and weft's own. */
export function isHomeOfWeft(registry: NamespaceRegistry, ns: Namespace): boolean {
  const parsed = parseNamespace(ns);
  if (parsed.type === 'host') return true;
  return parsed.type === 'owned' && registry.isOwnedName(parsed.name);
}

/** The link of weft's with that number; loopback is none that anything of weft's is on. */
export function ownLinkAt(links: OwnLinks, index: number): Link | undefined {
  const link = links.get(index);
  return link?.type.type === 'loopback' ? undefined : link;
}

export function ownAddress(
  handle: NamespaceHandle,
  links: OwnLinks,
  record: AddressRecord,
): Address | undefined {
  const link = ownLinkAt(links, record.index);
  if (link === undefined) return undefined;
  if (!record.weft && (handle.type !== 'owned' || record.linkLocal)) return undefined;
  return { kind: 'address', ns: handle.ns, link: link.name, address: record.address };
}

/** @param connected what weft's addresses in that namespace bring with them; asked for only where it decides */
export function ownRoute(
  handle: NamespaceHandle,
  links: OwnLinks,
  record: RouteRecord,
  connected: () => ConnectedRoutes,
): Route | undefined {
  const found = routeOnOwnLink(handle, links, record);
  if (found === undefined || found.protocol === 'weft' || handle.type === 'owned') return found;
  return connected().has(connectedText(found)) ? found : undefined;
}

/** The connected routes that some addresses bring with them. */
export type ConnectedRoutes = ReadonlySet<string>;

export function connectedRoutes(addresses: readonly Address[]): ConnectedRoutes {
  return new Set(
    addresses.flatMap((address) => {
      const route = connectedRouteOf(address);
      return route === undefined ? [] : [connectedText(route)];
    }),
  );
}

function connectedText({ link, destination, source }: Route): string {
  return `${link} ${destination} ${source ?? ''}`;
}

/** The route as an object, whoever made it; undefined when it is not over a link of weft's. */
export function routeOnOwnLink(
  handle: NamespaceHandle,
  links: OwnLinks,
  record: RouteRecord,
): Route | undefined {
  const link = ownLinkAt(links, record.index);
  if (link === undefined) return undefined;
  const { destination, via, source, metric, protocol } = record;
  return {
    kind: 'route',
    ns: handle.ns,
    link: link.name,
    destination,
    ...(via === undefined ? {} : { via }),
    ...(source === undefined ? {} : { source }),
    ...(metric === undefined ? {} : { metric }),
    protocol,
  };
}

export function ownNeighbour(
  handle: NamespaceHandle,
  links: OwnLinks,
  record: NeighbourRecord,
): Neighbour | undefined {
  const link = ownLinkAt(links, record.index);
  if (link === undefined || !record.permanent || record.mac === undefined) return undefined;
  if (!record.weft && handle.type !== 'owned') return undefined;
  return { kind: 'neighbour', ns: handle.ns, link: link.name, address: record.address, mac: record.mac };
}

export function ownFdbEntry(
  handle: NamespaceHandle,
  links: OwnLinks,
  record: FdbRecord,
): FdbEntry | undefined {
  const link = ownLinkAt(links, record.index);
  if (link === undefined) return undefined;
  return toFdbEntry(record, { ns: handle.ns, name: link.name, vxlan: link.type.type === 'vxlan' });
}
