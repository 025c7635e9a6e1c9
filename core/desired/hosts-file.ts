/** The hosts file of one sandbox: the names of every network that it is on. */

import { sandboxNamespace } from '../dataplane/namespace.ts';
import type { HostsEntry, HostsFile } from '../dataplane/object.ts';
import { compareText } from '../dataplane/order.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { NetworkId } from '../model/ids.ts';
import { parseSandboxRef } from '../model/sandbox.ts';
import { compareByName, hostsEntriesOf, isNamed, type NamedEndpoint } from './hosts-entries.ts';
import type { ListedName, NameList } from './name-list.ts';

/** Only `ip netns` gives a namespace a hosts file; others are served by DNS. */
export function hasHostsFile(ref: string): boolean {
  return parseSandboxRef(ref)?.type === 'name';
}

/** An endpoint puts its sandbox among those that resolve the network's names when it has an interface there. */
export function resolvesNames(endpoint: Endpoint): boolean {
  return endpoint.ifname !== undefined && hasHostsFile(endpoint.sandbox.ref);
}

/**
 * The sandbox's hosts file: by network name, then endpoint name, then address, IPv4 first. Of each network what its list
 * has, and the sandbox's own endpoints, so that a name given to it always resolves inside it. Undefined when there is
 * nothing to write.
 *
 * @param own the endpoints of the sandbox
 * @param listOf the list of a network, undefined where the network is not compiled on this host
 */
export function hostsFileOf(
  ref: string,
  own: Iterable<Endpoint>,
  listOf: (network: NetworkId) => NameList | undefined,
): HostsFile | undefined {
  const ownByList = new Map<NameList, NamedEndpoint[]>();
  for (const endpoint of own) {
    const list = resolvesNames(endpoint) ? listOf(endpoint.network) : undefined;
    if (list === undefined) continue;
    const unlisted = isNamed(endpoint) && !list.isListed(endpoint) ? [endpoint] : [];
    ownByList.set(list, [...(ownByList.get(list) ?? []), ...unlisted]);
  }
  const lists = [...ownByList].sort(([a], [b]) => compareText(a.network.name, b.network.name));
  const entries = lists.flatMap(([list, unlisted]) => entriesOf(list, unlisted));
  return entries.length === 0 ? undefined : { kind: 'hosts', ns: sandboxNamespace(ref), entries };
}

function entriesOf(list: NameList, unlisted: readonly NamedEndpoint[]): readonly HostsEntry[] {
  if (unlisted.length === 0) return list.lines().flatMap((line) => line.entries);
  const added = unlisted.map(
    (endpoint): ListedName => ({ endpoint, entries: hostsEntriesOf(endpoint, list.network.name) }),
  );
  return [...list.lines(), ...added]
    .sort((a, b) => compareByName(a.endpoint, b.endpoint))
    .flatMap((line) => line.entries);
}
