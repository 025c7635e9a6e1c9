/** The lines of hosts files: how one endpoint is written down, and in which order several are. */

import type { HostsEntry } from '../dataplane/object.ts';
import { compareText } from '../dataplane/order.ts';
import { addressOf } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';

/** An endpoint with a name, which is what hosts files list. */
export type NamedEndpoint = Endpoint & { readonly name: string };

export function isNamed(endpoint: Endpoint): endpoint is NamedEndpoint {
  return endpoint.name !== undefined;
}

/**
 * One entry per address, IPv4 first: `web`, its aliases, then each of them with the network's name behind. The first
 * name is the one that a reverse look-up finds.
 */
export function hostsEntriesOf(endpoint: NamedEndpoint, network: string): readonly HostsEntry[] {
  const plain = [...new Set([endpoint.name, ...endpoint.aliases])];
  const names = [...plain, ...plain.map((name) => `${name}.${network}`)];
  return endpoint.addresses.map((address) => ({ address: addressOf(address), names }));
}

/** By name; ids only break ties that the fold never makes. */
export function compareByName(a: NamedEndpoint, b: NamedEndpoint): number {
  return compareText(a.name, b.name) || compareText(a.id, b.id);
}

/** Oldest first; ids only break ties that the fold never makes. */
export function compareByAge(a: Endpoint, b: Endpoint): number {
  return a.created.ordinal - b.created.ordinal || compareText(a.id, b.id);
}
