/**
 * What makes two kernel objects the same one. The key holds what the kernel itself looks an object up by and nothing
 * else: two objects with one key are two states of one thing, and setting either overwrites the other.
 */
import { unreachable } from '../lib/assert.ts';
import type { Namespace } from './namespace.ts';
import type { FdbEntry, KernelObject } from './object.ts';

/**
 * The key of an object: its kind, its namespace and the names that its kind is looked up by, with a blank between.
 * None of them can hold a blank (sandbox references are printable ASCII without it, sysctls and interface names are
 * ours), so no two objects share a key by accident. Fit for sorting, maps and logs; opaque otherwise.
 */
export function keyOf(object: KernelObject): string {
  switch (object.kind) {
    case 'netns':
    case 'hosts':
    case 'nft-table':
    case 'nft-accepts':
      return `${object.kind} ${object.ns}`;
    case 'link':
      return linkKey(object.ns, object.name);
    case 'address':
    case 'neighbour':
      return `${object.kind} ${object.ns} ${object.link} ${object.address}`;
    case 'route':
      return `route ${object.ns} ${object.link} ${object.destination}`;
    case 'fdb':
      return `fdb ${object.ns} ${object.link} ${object.mac} ${fdbTable(object)}`;
    case 'sysctl':
      return `sysctl ${object.ns} ${object.name}`;
    case 'nft-element':
      return `nft-element ${object.ns} ${object.set} ${object.key.join(' ')}`;
    default:
      return unreachable(object);
  }
}

/** The key of the nftables table of that namespace. */
export function nftTableKey(ns: Namespace): string {
  return `nft-table ${ns}`;
}

/** The key of the link of that name, for looking up what other objects refer to. */
export function linkKey(ns: Namespace, name: string): string {
  return `link ${ns} ${name}`;
}

/** Which of the two tables an FDB entry is in: the VXLAN link's own, or that of the bridge it is a port of. */
export function fdbTable(entry: FdbEntry): 'self' | 'master' {
  return entry.remote === undefined ? 'master' : 'self';
}
