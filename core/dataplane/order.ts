/**
 * The order in which objects are made, so that each finds what it stands on: a namespace before what is in it, the
 * settings that new links inherit before the links, bridges before their ports, parents before what is stacked on them, links before what is on them, connected
 * routes before those that go through a gateway on them. Deletion goes the other way.
 *
 * Forwarding entries come late on purpose: traffic is let in when the way is complete. The firewall comes early for the
 * same reason, before anything that it stands in front of; and because deletions come before, all of a pass that concerns
 * it lies together, deletions and sets, and can be one transaction.
 */
import { unreachable } from '../lib/assert.ts';
import { keyOf, linkKey } from './key.ts';
import type { KernelObject, Link } from './object.ts';
import { linkOfSysctl } from './sysctl.ts';

/** Lower is made earlier. Objects of one place do not depend on each other. */
export function placeOf(object: KernelObject): number {
  switch (object.kind) {
    case 'netns':
      return 0;
    case 'nft-table':
      return 1;
    case 'nft-element':
    case 'nft-accepts':
      return 2;
    case 'sysctl':
      return linkOfSysctl(object.name) === undefined ? 3 : 9;
    case 'link':
      return placeOfLink(object);
    case 'address':
      return 10;
    case 'route':
      return object.via === undefined ? 11 : 12;
    case 'neighbour':
      return 13;
    case 'fdb':
      return 14;
    case 'hosts':
      return 15;
    default:
      return unreachable(object);
  }
}

function placeOfLink(link: Link): number {
  switch (link.type.type) {
    case 'bridge':
    case 'dummy':
      return 4;
    case 'vxlan':
    case 'vlan':
      return 5;
    case 'macvlan':
    case 'ipvlan':
      return 6;
    case 'veth':
      return makesPair(link) ? 6 : 7;
    case 'loopback':
      return 8;
    default:
      return unreachable(link.type);
  }
}

/**
 * True for the end of a veth pair that makes both; the other end's `set` finds the link there and gives it its members.
 * By key, in which owned namespaces come before sandboxes.
 */
export function makesPair(link: Link): boolean {
  if (link.type.type !== 'veth') return false;
  return linkKey(link.ns, link.name) < linkKey(link.type.peer.ns, link.type.peer.name);
}

/** True for what changes in transactions: operations on such objects that follow each other are carried out as one. */
export function isTransactional(object: KernelObject): boolean {
  return object.kind === 'nft-table' || object.kind === 'nft-element' || object.kind === 'nft-accepts';
}

/** Orders objects for making: by place, then by key, so that equal sets give equal sequences. */
export function compareForApply(a: KernelObject, b: KernelObject): number {
  return placeOf(a) - placeOf(b) || compareText(keyOf(a), keyOf(b));
}

/** By code units, so that no locale is involved. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
