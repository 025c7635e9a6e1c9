/**
 * The gateway bridge: a bridge of each host by which sandboxes on overlays reach the outside world, with the host's
 * address. What the state holds of it once is the predefined network `weft_gwbridge`; its IPv4 subnet is each host's own
 * (`Host.gatewaySubnet`), because nobody beyond the host ever sees it. See docs/decisions/0019.
 */
import { derivedIpv6Pool } from '../ipam/default-pools.ts';
import { newPool } from '../ipam/pool.ts';
import { Pools } from '../ipam/pools.ts';
import { assert } from '../lib/assert.ts';
import {
  addressFromBigInt,
  addressToBigInt,
  boundsOf,
  type InterfaceAddress,
  type IpAddress,
  lengthOf,
  type Prefix,
  withLength,
} from '../model/address.ts';
import type { Host } from '../model/host.ts';
import { type NetworkId, predefinedNetworkIdOf } from '../model/ids.ts';
import { nameKey } from '../model/names.ts';
import type { Network, Subnet } from '../model/network.ts';

/** Its name, and that of each host's bridge. */
export const gatewayNetworkName = 'weft_gwbridge';

export const gatewayNetworkId: NetworkId = predefinedNetworkIdOf(gatewayNetworkName);

/** Where bridges stand, and gateway bridges among them. */
export const localSpace = 'local';

/** The same on all hosts: a sandbox's address in it follows from its IPv4 address. */
export const gatewayIpv6Subnet: Subnet = makeIpv6Subnet();

/** The address space of a host's own gateway subnet. No name of a space that users give has a slash in it. */
export function gatewaySpaceOf(host: string): string {
  return `gateway/${nameKey(host)}`;
}

/** The host's own address on the bridge: the first of its subnet. */
export function gatewayAddressOf(subnet: Prefix): IpAddress {
  const { taken, first } = newPool(localSpace, subnet);
  return addressFromBigInt(taken.nextFree(first), 4);
}

/** The addresses of a sandbox, from the number of its IPv4 address: as far from the host's own in either family. */
export function gatewayAddresses(subnet: Prefix, value: bigint, ipv6: boolean): readonly InterfaceAddress[] {
  const ipv4 = withLength(addressFromBigInt(value, 4), lengthOf(subnet));
  if (!ipv6) return [ipv4];
  const { prefix, gateway } = gatewayIpv6Subnet;
  const offset = value - addressToBigInt(gatewayAddressOf(subnet));
  return [ipv4, withLength(addressFromBigInt(addressToBigInt(gateway) + offset, 6), lengthOf(prefix))];
}

/**
 * The network as that host has it.
 *
 * @param network as the state has it
 * @param ipv6 whether a sandbox there needs it: the host becomes a router of IPv6 by it
 */
export function gatewayNetworkOn(
  network: Network,
  { gatewaySubnet }: Pick<Host, 'gatewaySubnet'>,
  ipv6: boolean,
): Network {
  const ipv4: Subnet[] =
    gatewaySubnet === undefined
      ? []
      : [{ prefix: gatewaySubnet, gateway: gatewayAddressOf(gatewaySubnet), aux: [] }];
  return { ...network, subnets: ipv6 ? [...ipv4, ...network.subnets] : ipv4, ipv6 };
}

function makeIpv6Subnet(): Subnet {
  const prefix = derivedIpv6Pool(Pools.empty, localSpace, gatewayNetworkId);
  assert(prefix !== undefined, 'nothing is in the way of the first prefix');
  return { prefix, gateway: addressFromBigInt(boundsOf(prefix).first + 1n, 6), aux: [] };
}
