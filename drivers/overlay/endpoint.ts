/** What one endpoint adds to a host: an interface where its sandbox is, table entries everywhere else. */
import { connectedRouteOf } from '../../core/dataplane/connected.ts';
import { type Namespace, sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { Address, KernelObject, Link, Route, Sysctl } from '../../core/dataplane/object.ts';
import type { HostView } from '../../core/driver/driver.ts';
import { assert } from '../../core/lib/assert.ts';
import { addressOf, contains, familyOf, type InterfaceAddress } from '../../core/model/address.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Host } from '../../core/model/host.ts';
import type { Network } from '../../core/model/network.ts';
import { loopbackUp } from '../loopback.ts';
import { overlayMtu } from './mtu.ts';
import { bridgeName, overlayNamespace, vethName, vxlanName } from './names.ts';

/** Nothing where the endpoint's host is not known: it was removed, and its endpoints are about to be. */
export function compileEndpoint(
  network: Network,
  endpoint: Endpoint,
  view: HostView,
): readonly KernelObject[] {
  if (endpoint.host === view.self.name) return localEndpoint(network, endpoint, view);
  const host = view.host(endpoint.host);
  return host === undefined ? [] : remoteEndpoint(network, endpoint, host, view);
}

/** The way to an endpoint of another host: who has its addresses, and behind which VTEP that is. */
function remoteEndpoint(network: Network, endpoint: Endpoint, host: Host, view: HostView): KernelObject[] {
  const mac = macOf(endpoint);
  const place = { ns: overlayNamespace(network, view.netnsPrefix), link: vxlanName };
  return [
    ...endpoint.addresses.map(
      (address): KernelObject => ({ kind: 'neighbour', ...place, address: addressOf(address), mac }),
    ),
    { kind: 'fdb', ...place, mac, remote: host.address },
  ];
}

function localEndpoint(network: Network, endpoint: Endpoint, view: HostView): KernelObject[] {
  const overlay = overlayNamespace(network, view.netnsPrefix);
  const sandbox = sandboxNamespace(endpoint.sandbox.ref);
  const ifname = ifnameOf(endpoint);
  const addresses = endpoint.addresses.map(
    (address): Address => ({ kind: 'address', ns: sandbox, link: ifname, address }),
  );
  return [
    loopbackUp(sandbox),
    ...vethPair(network, endpoint, view, { overlay, sandbox }),
    { kind: 'fdb', ns: overlay, link: vethName(endpoint), mac: macOf(endpoint) },
    ...ipv6Switch(endpoint, sandbox),
    ...addresses,
    ...addresses.flatMap((address) => connectedRouteOf(address) ?? []),
    ...endpoint.addresses.flatMap((address) => routesToOtherSubnets(network, address, sandbox, ifname)),
  ];
}

function vethPair(
  network: Network,
  endpoint: Endpoint,
  view: HostView,
  { overlay, sandbox }: { readonly overlay: Namespace; readonly sandbox: Namespace },
): Link[] {
  const inside = { ns: sandbox, name: ifnameOf(endpoint) };
  const outside = { ns: overlay, name: vethName(endpoint) };
  const both = {
    kind: 'link',
    owner: `endpoint:${endpoint.id}`,
    up: true,
    mtu: overlayMtu(network, view),
  } as const;
  return [
    {
      ...both,
      ...outside,
      master: bridgeName,
      port: { learning: false, flood: false },
      type: { type: 'veth', peer: inside },
    },
    { ...both, ...inside, mac: macOf(endpoint), type: { type: 'veth', peer: outside } },
  ];
}

/**
 * Container runtimes switch IPv6 off for the interfaces to come and on for those that have such an address, as Docker
 * does. Without one it stays as the sandbox's owner has it: weft never switches it off.
 */
function ipv6Switch(endpoint: Endpoint, ns: Namespace): Sysctl[] {
  if (!endpoint.addresses.some((address) => familyOf(address) === 6)) return [];
  return [{ kind: 'sysctl', ns, name: `net/ipv6/conf/${ifnameOf(endpoint)}/disable_ipv6`, value: '0' }];
}

/** The network's other subnets of the address's family are reached through the gateway of its own. */
function routesToOtherSubnets(
  network: Network,
  address: InterfaceAddress,
  ns: Namespace,
  link: string,
): Route[] {
  const own = network.subnets.find(({ prefix }) => contains(prefix, addressOf(address)));
  if (own === undefined) return [];
  return network.subnets
    .filter((subnet) => subnet !== own && familyOf(subnet.prefix) === familyOf(own.prefix))
    .map(({ prefix }) => ({
      kind: 'route',
      ns,
      link,
      destination: prefix,
      via: own.gateway,
      protocol: 'weft',
    }));
}

function macOf(endpoint: Endpoint): NonNullable<Endpoint['mac']> {
  assert(endpoint.mac !== undefined, `overlay endpoint ${endpoint.id} has a MAC`);
  return endpoint.mac;
}

function ifnameOf(endpoint: Endpoint): string {
  assert(endpoint.ifname !== undefined, `overlay endpoint ${endpoint.id} has an interface name`);
  return endpoint.ifname;
}
