/**
 * The difference between what should be and what is, as operations. Pure; the heart of the reconciler.
 *
 * It knows what the kernel does by itself, so that it neither deletes what goes anyway nor leaves out what must come
 * back:
 * - with a namespace goes everything in it, and the far ends of its veth pairs;
 * - with a link goes everything on it: addresses, routes, neighbours, FDB entries, its sysctls, and the far end of a
 *   pair, and the links that are stacked on it with all that is on those; a link that is made anew starts with nothing;
 * - a port that leaves its bridge, or whose bridge goes, loses its entries in the bridge's table;
 * - a bridge that weft adopted is not deleted but let go, and keeps what is on it;
 * - a link that gets another MAC loses its neighbours (`neigh_changeaddr`), permanent ones too;
 * - with an IPv4 address go its secondaries (others of its prefix; unless `promote_secondaries`), its connected route
 *   and the routes that name it as their source;
 * - with an nftables table goes all that is in it; one that is not as it was made is made anew.
 *
 * What the kernel can have but not delete is left alone: sysctls that nobody desires, and loopback.
 *
 * Required of the arguments: `actual` covers whatever `desired` does, both ends of a veth pair included, and `desired`
 * holds the connected route of each of its addresses (`connectedRouteOf`). Then applying the operations to a kernel in
 * the state `actual` gives exactly `desired`, and a second diff is empty (the spec's property P8).
 */
import { addressOf, familyOf, type InterfaceAddress, prefixOf } from '../model/address.ts';
import { needsReplacing, sameState } from './equal.ts';
import type { Operation } from './kernel.ts';
import { keyOf, linkKey, nftTableKey } from './key.ts';
import { type LinkPlan, planLinks } from './link-plan.ts';
import type { Namespace } from './namespace.ts';
import type { Address, KernelObject, Route } from './object.ts';
import { compareText, placeOf } from './order.ts';
import { linkOfSysctl } from './sysctl.ts';

/**
 * The operations that turn `actual` into `desired`: first deletions, in the reverse order of making, then sets and
 * replacements in the order of making. Equal arguments, in whatever order, give the same sequence.
 *
 * Deletions come first because names, VNIs and prefixes must be free before they are used again. One of a desired key
 * is the first half of a remake: a veth end that stands in the way of a pair.
 */
export function diff(desired: Iterable<KernelObject>, actual: Iterable<KernelObject>): Operation[] {
  const wanted = byKey(desired);
  const found = byKey(actual);
  const gone = goneNamespaces(wanted, found);
  const links = planLinks(wanted, found, gone);
  const survives = survival(gone, links, lostTables(wanted, found));
  const strays = straysOf(wanted, found, survives);
  const cascade = addressCascade(strays, found);

  const deletions: KernelObject[] = [...links.deletions];
  for (const stray of strays) {
    if (stray.kind !== 'route' || !cascade.has(keyOf(stray))) deletions.push(stray);
  }
  const changes: Operation[] = [...links.changes];
  for (const [key, object] of wanted) {
    if (object.kind === 'link') continue;
    const old = found.get(key);
    const present = old !== undefined && survives(old) && !cascade.has(key) ? old : undefined;
    if (present === undefined) changes.push({ op: 'set', object });
    else if (!sameState(object, present)) {
      changes.push({ op: needsReplacing(object, present) ? 'replace' : 'set', object, actual: present });
    }
  }
  return [
    ...sorted(deletions.map((object): Operation => ({ op: 'delete', object, actual: object }))).reverse(),
    ...sorted(changes),
  ];
}

/** Whether an object is still there after the planned deletions. Mostly nothing goes, and the answer costs nothing. */
function survival(
  gone: ReadonlySet<Namespace>,
  links: LinkPlan,
  tables: ReadonlySet<Namespace>,
): (object: KernelObject) => boolean {
  const { lost, unplugged, readdressed } = links;
  if (gone.size + lost.size + unplugged.size + readdressed.size + tables.size === 0) return () => true;
  return (object) => {
    if (object.kind === 'nft-element' && tables.has(object.ns)) return false;
    return !gone.has(object.ns) && !goesWithLink(object, links);
  };
}

/** Namespaces whose nftables table is deleted or made anew, so that nothing is left of what is in its sets. */
function lostTables(
  wanted: ReadonlyMap<string, KernelObject>,
  found: ReadonlyMap<string, KernelObject>,
): ReadonlySet<Namespace> {
  const lost = new Set<Namespace>();
  for (const objects of [wanted, found]) {
    for (const { kind, ns } of objects.values()) {
      if (kind !== 'nft-table') continue;
      const table = found.get(nftTableKey(ns));
      const desired = wanted.get(nftTableKey(ns));
      if (table === undefined || desired === undefined || !sameState(desired, table)) lost.add(ns);
    }
  }
  return lost;
}

function byKey(objects: Iterable<KernelObject>): Map<string, KernelObject> {
  const map = new Map<string, KernelObject>();
  for (const object of objects) map.set(keyOf(object), object);
  return map;
}

/** Namespaces that are deleted, and those that are made and therefore begin empty. */
function goneNamespaces(
  wanted: ReadonlyMap<string, KernelObject>,
  found: ReadonlyMap<string, KernelObject>,
): Set<Namespace> {
  const gone = new Set<Namespace>();
  for (const [key, object] of found) if (object.kind === 'netns' && !wanted.has(key)) gone.add(object.ns);
  for (const [key, object] of wanted) if (object.kind === 'netns' && !found.has(key)) gone.add(object.ns);
  return gone;
}

/** What is there, not wanted, deletable, and not deleted along with something else; links are planned elsewhere. */
function straysOf(
  wanted: ReadonlyMap<string, KernelObject>,
  found: ReadonlyMap<string, KernelObject>,
  survives: (object: KernelObject) => boolean,
): KernelObject[] {
  const strays: KernelObject[] = [];
  for (const [key, object] of found) {
    if (wanted.has(key) || object.kind === 'link' || object.kind === 'sysctl') continue;
    // A hosts file is in /etc/netns and outlives its namespace.
    if (object.kind === 'netns' || object.kind === 'hosts' || survives(object)) strays.push(object);
  }
  return strays;
}

function goesWithLink(object: KernelObject, links: LinkPlan): boolean {
  switch (object.kind) {
    case 'address':
    case 'route':
      return links.lost.has(linkKey(object.ns, object.link));
    case 'neighbour': {
      const key = linkKey(object.ns, object.link);
      return links.lost.has(key) || links.readdressed.has(key);
    }
    case 'fdb': {
      const key = linkKey(object.ns, object.link);
      return links.lost.has(key) || (object.remote === undefined && links.unplugged.has(key));
    }
    case 'sysctl': {
      const link = linkOfSysctl(object.name);
      return link !== undefined && links.lost.has(linkKey(object.ns, link));
    }
    default:
      return false;
  }
}

/** Keys of the addresses and routes that may go with the addresses that are deleted. */
function addressCascade(
  strays: readonly KernelObject[],
  found: ReadonlyMap<string, KernelObject>,
): ReadonlySet<string> {
  const deleted = new Map<string, InterfaceAddress[]>();
  for (const stray of strays) {
    if (stray.kind !== 'address') continue;
    const key = linkKey(stray.ns, stray.link);
    deleted.set(key, [...(deleted.get(key) ?? []), stray.address]);
  }
  const cascade = new Set<string>();
  if (deleted.size === 0) return cascade;
  for (const [key, object] of found) {
    if (object.kind !== 'address' && object.kind !== 'route') continue;
    const addresses = deleted.get(linkKey(object.ns, object.link)) ?? [];
    if (addresses.some((address) => takesAlong(address, object))) cascade.add(key);
  }
  return cascade;
}

function takesAlong(deleted: InterfaceAddress, object: Address | Route): boolean {
  if (object.kind === 'address') return isSecondary(deleted, object);
  return object.destination === prefixOf(deleted) || object.source === addressOf(deleted);
}

function isSecondary(deleted: InterfaceAddress, other: Address): boolean {
  return (
    familyOf(deleted) === 4 && other.address !== deleted && prefixOf(other.address) === prefixOf(deleted)
  );
}

/** By place, then by key. The keys are made once: a first sync has a hundred thousand of them. */
function sorted(operations: Operation[]): Operation[] {
  return operations
    .map((operation) => ({ operation, place: placeOf(operation.object), key: keyOf(operation.object) }))
    .sort((a, b) => a.place - b.place || compareText(a.key, b.key))
    .map(({ operation }) => operation);
}
