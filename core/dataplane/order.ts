/**
 * The order in which objects are made, so that each finds what it stands on: a namespace before what is in it, the
 * settings that new links inherit before the links, bridges before their ports, links before what is on them, connected
 * routes before those that go through a gateway on them. Deletion goes the other way.
 *
 * Forwarding entries come late on purpose: traffic is let in when the way is complete.
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
    case 'sysctl':
      return linkOfSysctl(object.name) === undefined ? 1 : 7;
    case 'link':
      return placeOfLink(object);
    case 'address':
      return 8;
    case 'route':
      return object.via === undefined ? 9 : 10;
    case 'neighbour':
      return 11;
    case 'fdb':
      return 12;
    case 'hosts':
      return 13;
    default:
      return unreachable(object);
  }
}

function placeOfLink(link: Link): number {
  switch (link.type.type) {
    case 'bridge':
      return 2;
    case 'vxlan':
      return 3;
    case 'veth':
      return makesPair(link) ? 4 : 5;
    case 'loopback':
      return 6;
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

/** Orders objects for making: by place, then by key, so that equal sets give equal sequences. */
export function compareForApply(a: KernelObject, b: KernelObject): number {
  return placeOf(a) - placeOf(b) || compareText(keyOf(a), keyOf(b));
}

/** By code units, so that no locale is involved. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
