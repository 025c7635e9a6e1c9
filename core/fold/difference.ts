/**
 * The changes that lead from one state of a cluster to a later one, where the records between them are not known: for
 * whoever follows changes and has to leap, because what lay between was trimmed from the log.
 *
 * Objects that are in both states count as unchanged when the same records made and last changed them.
 */
import type { Key, Table } from '../lib/table.ts';
import { nameKey } from '../model/names.ts';
import type { Stamp } from '../model/stamp.ts';
import type { Change, EndpointRemoval } from './change.ts';
import type { State } from './state.ts';

interface Stamped {
  readonly created: Stamp;
  readonly changed: Stamp;
}

/**
 * In an order in which they could have come about: endpoints go before the networks and hosts that they need, and come
 * after them. Takes time in proportion to both states.
 */
export function changesBetween(before: State, after: State): readonly Change[] {
  const changes: Change[] = [];
  for (const endpoint of missing(before.endpoints, after.endpoints)) {
    changes.push({ type: 'endpoint-removed', endpoint, reason: whyGone(endpoint.host, after) });
  }
  for (const [key, gateway] of before.gateways.entries()) {
    if (!after.gateways.has(key)) changes.push({ type: 'gateway-removed', gateway });
  }
  for (const network of missing(before.networks, after.networks))
    changes.push({ type: 'network-removed', network });
  for (const [name, host] of before.hosts.entries()) {
    if (!after.hosts.has(name))
      changes.push({ type: 'host-removed', host, isExpired: isExpired(name, after) });
  }
  for (const [name, host] of after.hosts.entries()) {
    const previous = before.hosts.get(name);
    if (previous === undefined) changes.push({ type: 'host-set', host });
    else if (!isSame(previous, host)) changes.push({ type: 'host-set', host, previous });
  }
  for (const network of missing(after.networks, before.networks))
    changes.push({ type: 'network-added', network });
  for (const endpoint of missing(after.endpoints, before.endpoints))
    changes.push({ type: 'endpoint-added', endpoint });
  for (const gateway of missing(after.gateways, before.gateways))
    changes.push({ type: 'gateway-set', gateway });
  return changes;
}

function whyGone(host: string, after: State): EndpointRemoval {
  if (after.hosts.has(host)) return 'requested';
  return isExpired(host, after) ? 'host-expired' : 'host-removed';
}

/** Where the removal is forgotten already, it counts as asked for: then nothing comes back unasked. */
function isExpired(host: string, after: State): boolean {
  return after.removedHosts.get(nameKey(host))?.isExpired ?? false;
}

/** Those of one table that the other does not have, or has otherwise. */
function* missing<K extends Key, V extends Stamped>(
  from: Table<K, V>,
  other: Table<K, V>,
): IterableIterator<V> {
  for (const [key, value] of from.entries()) {
    const found = other.get(key);
    if (found === undefined || !isSame(value, found)) yield value;
  }
}

function isSame(a: Stamped, b: Stamped): boolean {
  return a.created.ordinal === b.created.ordinal && a.changed.ordinal === b.changed.ordinal;
}
