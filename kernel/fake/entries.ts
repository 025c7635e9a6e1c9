/** The rules of the fake machine for what is on links: addresses, routes, neighbours and FDB entries. */
import { connectedRouteOf } from '../../core/dataplane/connected.ts';
import { sameState } from '../../core/dataplane/equal.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import type { Address, FdbEntry, Route } from '../../core/dataplane/object.ts';
import { addressOf, contains, familyOf, prefixOf } from '../../core/model/address.ts';
import type { Machine } from './machine.ts';
import { refuse } from './refusal.ts';
import {
  addressesOf,
  type Entry,
  type FakeLink,
  type Held,
  hasIpv6,
  isIpv6,
  isVisibleEntry,
  routesOf,
} from './state.ts';

/**
 * Makes the entry or alters the one with its key.
 *
 * @param ours whether it carries weft's protocol number afterwards
 */
export function setEntry(machine: Machine, entry: Entry, ours: boolean): void {
  const holder = machine.link(entry.ns, entry.link);
  switch (entry.kind) {
    case 'address':
      return setAddress(machine, holder, entry, ours);
    case 'route':
      return setRoute(machine, holder, entry, ours);
    case 'neighbour':
      requireIpv6(machine, holder, entry);
      return put(machine, holder, { object: entry, ours });
    case 'fdb':
      requireTable(holder, entry);
      return put(machine, holder, { object: entry, ours });
  }
}

/** Deletes the entry with that key, and what goes with it. What is not there, or is not visible, is left alone. */
export function deleteEntry(machine: Machine, entry: Entry, byHand: boolean): void {
  const holder = machine.findLink(entry.ns, entry.link);
  if (holder === undefined) return;
  const held = holder.entries.get(keyOf(entry));
  if (held === undefined || !(byHand || isVisibleEntry(holder, held))) return;
  if (held.object.kind === 'address') deleteAddress(machine, holder, held.object);
  else dropEntries(machine, holder, (other) => other === held);
}

/** Drops the entries of a link that the predicate holds for, without further consequences. */
export function dropEntries(machine: Machine, holder: FakeLink, drops: (held: Held) => boolean): void {
  const dropped = [...holder.entries].filter(([, held]) => drops(held));
  const isAddress = ([, { object }]: [string, Held]): boolean => object.kind === 'address';
  // Addresses last: whether a connected route is reported depends on them.
  for (const [key, held] of [...dropped.filter((item) => !isAddress(item)), ...dropped.filter(isAddress)]) {
    const visible = isVisibleEntry(holder, held);
    holder.entries.delete(key);
    machine.changed(visible ? { type: 'absent', object: held.object } : undefined);
  }
}

/** A link that goes down keeps its IPv4 addresses and its FDB, and nothing else. */
export function dropOnDown(machine: Machine, holder: FakeLink): void {
  dropEntries(machine, holder, ({ object }) => object.kind === 'route' || object.kind === 'neighbour');
  dropEntries(machine, holder, ({ object }) => object.kind === 'address' && isIpv6(object));
}

export function dropIpv6(machine: Machine, holder: FakeLink): void {
  dropEntries(machine, holder, ({ object }) => isIpv6(object));
}

/** The kernel's part of an address: its connected route, where the link is up. The primary address is its source. */
export function connectAddress(machine: Machine, holder: FakeLink, address: Address): void {
  const route = connectedRouteOf(address);
  if (route === undefined || !holder.link.up || holder.entries.has(keyOf(route))) return;
  put(machine, holder, { object: route, ours: false });
}

function setAddress(machine: Machine, holder: FakeLink, address: Address, ours: boolean): void {
  requireIpv6(machine, holder, address);
  const isNew = !holder.entries.has(keyOf(address));
  for (const { object } of isNew && isIpv6(address) ? addressesOf(holder) : []) {
    if (addressOf(object.address) !== addressOf(address.address)) continue;
    refuse('EEXIST', `${object.address} on ${address.link}`);
  }
  put(machine, holder, { object: address, ours });
  if (isNew) connectAddress(machine, holder, address);
}

function deleteAddress(machine: Machine, holder: FakeLink, address: Address): void {
  const prefix = prefixOf(address.address);
  const sharers = addressesOf(holder).filter(({ object }) => prefixOf(object.address) === prefix);
  const isPrimary = sharers[0]?.object.address === address.address;
  // Without promote_secondaries, the default, an IPv4 prefix goes with its primary address.
  const whole = familyOf(prefix) === 4 ? isPrimary : sharers.length === 1;
  const gone = new Set(whole ? sharers.map(({ object }) => object.address) : [address.address]);
  const sources = new Set([...gone].map(addressOf));
  dropEntries(machine, holder, ({ object }) => {
    if (object.kind === 'address') return gone.has(object.address);
    if (object.kind !== 'route') return false;
    const connected = object.protocol === 'kernel' && object.destination === prefix && whole;
    return connected || (object.source !== undefined && sources.has(object.source));
  });
}

function setRoute(machine: Machine, holder: FakeLink, route: Route, ours: boolean): void {
  requireIpv6(machine, holder, route);
  if (!holder.link.up) refuse('ENETDOWN', 'Device for nexthop is not up');
  const { via, source } = route;
  if (via !== undefined && !isOnLink(holder, route)) {
    if (familyOf(via) === 4) refuse('ENETUNREACH', 'Nexthop has invalid gateway');
    refuse('EHOSTUNREACH', `gateway ${via}`);
  }
  if (source !== undefined && !hasAddress(machine, route)) refuse('EINVAL', 'Invalid prefsrc address');
  put(machine, holder, { object: route, ours: ours && route.protocol === 'weft' });
}

function isOnLink(holder: FakeLink, { via }: Route): boolean {
  return routesOf(holder).some(
    (route) => route.via === undefined && via !== undefined && contains(route.destination, via),
  );
}

function hasAddress(machine: Machine, { ns, source }: Route): boolean {
  return [...machine.namespace(ns).links.values()].some((holder) =>
    addressesOf(holder).some(({ object }) => addressOf(object.address) === source),
  );
}

function requireIpv6(machine: Machine, { link }: FakeLink, entry: Entry): void {
  if (!isIpv6(entry) || hasIpv6(machine.namespace(link.ns), link)) return;
  refuse(entry.kind === 'neighbour' ? 'EINVAL' : 'EACCES', 'IPv6 is disabled on this device');
}

function requireTable({ link }: FakeLink, entry: FdbEntry): void {
  if (entry.remote === undefined) {
    if (link.master === undefined) refuse('EOPNOTSUPP', `${link.name} is no port of a bridge`);
    return;
  }
  if (link.type.type !== 'vxlan') refuse('EOPNOTSUPP', `${link.name} is no VXLAN link`);
  if (familyOf(link.type.local) !== familyOf(entry.remote)) refuse('EAFNOSUPPORT', entry.remote);
}

function put(machine: Machine, holder: FakeLink, held: Held): void {
  const key = keyOf(held.object);
  const old = holder.entries.get(key);
  if (old !== undefined && old.ours === held.ours && sameState(held.object, old.object)) return;
  holder.entries.set(key, held);
  if (isVisibleEntry(holder, held)) machine.changed({ type: 'present', object: held.object });
  else if (old !== undefined && isVisibleEntry(holder, old))
    machine.changed({ type: 'absent', object: old.object });
  else machine.changed();
}
