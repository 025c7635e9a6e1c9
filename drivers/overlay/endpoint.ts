/** What one endpoint adds to a host: an interface where its sandbox is, table entries everywhere else. */
import type { Namespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject, Link, Route } from '../../core/dataplane/object.ts';
import type { HostView } from '../../core/driver/driver.ts';
import { assert } from '../../core/lib/assert.ts';
import { addressOf, contains, familyOf, type InterfaceAddress } from '../../core/model/address.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Host } from '../../core/model/host.ts';
import type { Network } from '../../core/model/network.ts';
import { loopbackUp } from '../loopback.ts';
import { addressing, interfaceOf } from '../sandbox-interface.ts';
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
  const sandbox = interfaceOf(endpoint).ns;
  const ifname = interfaceOf(endpoint).name;
  return [
    loopbackUp(sandbox),
    ...vethPair(network, endpoint, view, overlay),
    { kind: 'fdb', ns: overlay, link: vethName(endpoint), mac: macOf(endpoint) },
    ...addressing(endpoint),
    ...endpoint.addresses.flatMap((address) => routesToOtherSubnets(network, address, sandbox, ifname)),
  ];
}

function vethPair(network: Network, endpoint: Endpoint, view: HostView, overlay: Namespace): Link[] {
  const inside = interfaceOf(endpoint);
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
