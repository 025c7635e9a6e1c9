/** The way out of a sandbox through a gateway that is on the network itself, and no business of weft's. */
import type { Route } from '../core/dataplane/object.ts';
import { addressOf, contains, familyOf, type Prefix } from '../core/model/address.ts';
import type { Endpoint } from '../core/model/endpoint.ts';
import type { Network } from '../core/model/network.ts';
import { interfaceOf } from './sandbox-interface.ts';

/** One for each address, through the gateway of its subnet. */
export function gatewayRoutes(network: Network, endpoint: Endpoint): Route[] {
  const { ns, name } = interfaceOf(endpoint);
  return endpoint.addresses.flatMap((address): Route[] => {
    const subnet = network.subnets.find(({ prefix }) => contains(prefix, addressOf(address)));
    if (subnet === undefined) return [];
    const destination = everywhere(familyOf(address));
    return [{ kind: 'route', ns, link: name, destination, via: subnet.gateway, protocol: 'weft' }];
  });
}

/** The same without a gateway: whoever is asked for is on the link. */
export function linkRoutes(endpoint: Endpoint): Route[] {
  const { ns, name } = interfaceOf(endpoint);
  return endpoint.addresses.map((address) => {
    return { kind: 'route', ns, link: name, destination: everywhere(familyOf(address)), protocol: 'weft' };
  });
}

function everywhere(family: 4 | 6): Prefix {
  return (family === 4 ? '0.0.0.0/0' : '::/0') as Prefix;
}
