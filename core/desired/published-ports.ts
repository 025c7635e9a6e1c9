/**
 * To which endpoint of a sandbox published ports lead. Those of an endpoint on a bridge lead to itself. An endpoint on an
 * overlay is not reached from its host, so its ports lead to the sandbox's way out, as the overlay's own traffic to the
 * outside does: to its gateway endpoint, or to that on a bridge which gives it the default route of the port's family.
 */
import { driverTraits } from '../fold/driver-traits.ts';
import { type Family, familyOf } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { NetworkId } from '../model/ids.ts';
import type { Network } from '../model/network.ts';
import type { PublishedPort } from '../model/published-port.ts';

/**
 * @param siblings the endpoints of its sandbox
 * @param isWayOut whether the sandbox has its default route of that family by the endpoint
 */
export function portsLeadingTo(
  endpoint: Endpoint,
  siblings: Iterable<Endpoint>,
  isWayOut: (family: Family) => boolean,
  networkOf: (id: NetworkId) => Network | undefined,
): readonly PublishedPort[] {
  const ports = [...(endpoint.ports ?? [])];
  for (const sibling of siblings) {
    if (sibling.ports === undefined || !leavesPorts(networkOf(sibling.network))) continue;
    ports.push(...sibling.ports.filter(({ address }) => isWayOut(familyOf(address))));
  }
  return ports;
}

function leavesPorts(network: Network | undefined): boolean {
  return network !== undefined && driverTraits(network.driver)?.usesGateway === true;
}
