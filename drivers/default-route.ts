/** The way out of a sandbox through a gateway that is on the network itself, and no business of weft's. */
import type { Route } from '../core/dataplane/object.ts';
import type { HostView } from '../core/driver/driver.ts';
import {
  addressOf,
  contains,
  type Family,
  familyOf,
  type InterfaceAddress,
  type Prefix,
} from '../core/model/address.ts';
import type { Endpoint } from '../core/model/endpoint.ts';
import type { Network } from '../core/model/network.ts';
import { interfaceOf } from './sandbox-interface.ts';

/** One for each address by whose family the sandbox's way out is the endpoint's, through the gateway of its subnet. */
export function gatewayRoutes(network: Network, endpoint: Endpoint, view: HostView): Route[] {
  const { ns, name } = interfaceOf(endpoint);
  return waysOut(endpoint, view).flatMap((address): Route[] => {
    const subnet = network.subnets.find(({ prefix }) => contains(prefix, addressOf(address)));
    if (subnet === undefined) return [];
    const destination = everywhere(familyOf(address));
    return [{ kind: 'route', ns, link: name, destination, via: subnet.gateway, protocol: 'weft' }];
  });
}

/** The same without a gateway: whoever is asked for is on the link. */
export function linkRoutes(endpoint: Endpoint, view: HostView): Route[] {
  const { ns, name } = interfaceOf(endpoint);
  return waysOut(endpoint, view).map((address) => {
    return { kind: 'route', ns, link: name, destination: everywhere(familyOf(address)), protocol: 'weft' };
  });
}

function waysOut(endpoint: Endpoint, view: HostView): readonly InterfaceAddress[] {
  return endpoint.addresses.filter((address) => view.isGateway(endpoint, familyOf(address)));
}

export function everywhere(family: Family): Prefix {
  return (family === 4 ? '0.0.0.0/0' : '::/0') as Prefix;
}
