/**
 * Which of a sandbox's endpoints gives it the default route, for each family by itself.
 *
 * As Docker has it: among those whose network leads to the outside world, the one of the highest gateway priority; of
 * equals, the one whose network's name comes first.
 */
import { compareText } from '../dataplane/order.ts';
import { hasWayOut } from '../fold/driver-traits.ts';
import { type Family, familyOf } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { NetworkId } from '../model/ids.ts';
import type { Network } from '../model/network.ts';

/** @param endpoints all of one sandbox */
export function gatewayOf(
  endpoints: Iterable<Endpoint>,
  family: Family,
  networkOf: (id: NetworkId) => Network | undefined,
): Endpoint | undefined {
  let best: { readonly endpoint: Endpoint; readonly network: Network } | undefined;
  for (const endpoint of endpoints) {
    const network = networkOf(endpoint.network);
    if (network === undefined || !hasWayOut(network)) continue;
    if (!endpoint.addresses.some((address) => familyOf(address) === family)) continue;
    const candidate = { endpoint, network };
    if (best === undefined || compare(candidate, best) < 0) best = candidate;
  }
  return best?.endpoint;
}

type Candidate = { readonly endpoint: Endpoint; readonly network: Network };

function compare(a: Candidate, b: Candidate): number {
  const byPriority = (b.endpoint.gatewayPriority ?? 0) - (a.endpoint.gatewayPriority ?? 0);
  return byPriority || compareText(a.network.name, b.network.name);
}
