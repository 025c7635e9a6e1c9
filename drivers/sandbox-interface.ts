/** What an endpoint's interface in its sandbox has, whatever kind of link it is. */
import { connectedRouteOf } from '../core/dataplane/connected.ts';
import { type Namespace, sandboxNamespace } from '../core/dataplane/namespace.ts';
import type { Address, KernelObject, Route, Sysctl } from '../core/dataplane/object.ts';
import { assert } from '../core/lib/assert.ts';
import { familyOf, type InterfaceAddress } from '../core/model/address.ts';
import type { Endpoint } from '../core/model/endpoint.ts';

export interface InterfacePlace {
  readonly ns: Namespace;
  readonly name: string;
}

export function interfaceOf(endpoint: Endpoint): InterfacePlace {
  assert(endpoint.ifname !== undefined, `endpoint ${endpoint.id} has an interface name`);
  return { ns: sandboxNamespace(endpoint.sandbox.ref), name: endpoint.ifname };
}

/**
 * Its addresses with the routes that they bring, IPv6 switched on where it has such an address, and settings and
 * routes that were asked for.
 */
export function addressing(endpoint: Endpoint): KernelObject[] {
  const { ns, name } = interfaceOf(endpoint);
  const addresses = allAddresses(endpoint).map(
    (address): Address => ({ kind: 'address', ns, link: name, address }),
  );
  return [
    ...ipv6Switch(endpoint),
    ...askedSysctls(endpoint),
    ...addresses,
    ...addresses.flatMap((address) => connectedRouteOf(address) ?? []),
    ...staticRoutes(endpoint),
  ];
}

/** What is connected to the sandbox goes before them. In IPv6 the kernel has it so by itself. */
const staticMetricIpv4 = 1024;

function staticRoutes(endpoint: Endpoint): Route[] {
  const { ns, name } = interfaceOf(endpoint);
  return (endpoint.routes ?? []).map(({ destination, via }) => ({
    kind: 'route',
    ns,
    link: name,
    destination,
    ...(via === undefined ? {} : { via }),
    ...(familyOf(destination) === 4 ? { metric: staticMetricIpv4 } : {}),
    protocol: 'weft',
  }));
}

/**
 * Container runtimes switch IPv6 off for the interfaces to come and on for those that have such an address, as Docker
 * does. Without one it stays as the sandbox's owner has it: weft never switches it off.
 */
function ipv6Switch(endpoint: Endpoint): Sysctl[] {
  if (!allAddresses(endpoint).some((address) => familyOf(address) === 6)) return [];
  const { ns, name } = interfaceOf(endpoint);
  return [{ kind: 'sysctl', ns, name: `net/ipv6/conf/${name}/disable_ipv6`, value: '0' }];
}

/** Settings that the user has asked for. The fold refuses those that would take IPv6 from an endpoint that has it. */
export function askedSysctls(endpoint: Endpoint): Sysctl[] {
  const { ns } = interfaceOf(endpoint);
  return (endpoint.sysctls ?? []).map(({ name, value }) => ({ kind: 'sysctl', ns, name, value }));
}

function allAddresses({ addresses, linkLocal = [] }: Endpoint): readonly InterfaceAddress[] {
  return [...addresses, ...linkLocal];
}
