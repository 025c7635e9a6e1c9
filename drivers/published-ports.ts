/**
 * What leads from ports of the host to an endpoint, wherever its network is: from the ports and the addresses that the
 * host reaches it at, which on a bridge are its own.
 */

import type { NftSetName } from '../core/dataplane/firewall.ts';
import { hostNamespace } from '../core/dataplane/namespace.ts';
import type { NftElement } from '../core/dataplane/object.ts';
import { familyOf, type IpAddress } from '../core/model/address.ts';
import { isEveryAddress, type PublishedPort } from '../core/model/published-port.ts';

/** @param targets at most one of each family; ports of a family without one lead nowhere */
export function publishedPorts(
  ports: readonly PublishedPort[],
  targets: readonly IpAddress[],
): readonly NftElement[] {
  return ports.flatMap((port) => {
    const target = targets.find((each) => familyOf(each) === familyOf(port.address));
    return target === undefined ? [] : [elementOf(port, target)];
  });
}

function elementOf({ protocol, address, hostPort, port }: PublishedPort, target: IpAddress): NftElement {
  const family = familyOf(target);
  const place = [protocol, String(hostPort)];
  if (address === target) return element(`exposed${family}`, [address, ...place]);
  const value = [target, String(port)];
  return isEveryAddress(address)
    ? element(`anywhere${family}`, place, value)
    : element(`published${family}`, [address, ...place], value);
}

function element(set: NftSetName, key: readonly string[], value?: readonly string[]): NftElement {
  return { kind: 'nft-element', ns: hostNamespace, set, key, ...(value === undefined ? {} : { value }) };
}
