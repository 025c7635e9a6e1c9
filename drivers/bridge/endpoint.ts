/** What one endpoint of this host adds: its interface, and the way out where it is the sandbox's. */
import { hostNamespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject, Route, Sysctl } from '../../core/dataplane/object.ts';
import type { HostView } from '../../core/driver/driver.ts';
import { bridgeNameOf, hasNeighbours, mayExist } from '../../core/fold/bridge-options.ts';
import { addressOf, type Family, familyOf, type IpAddress } from '../../core/model/address.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Network } from '../../core/model/network.ts';
import { everyAddress, type PublishedPort } from '../../core/model/published-port.ts';
import { everywhere } from '../default-route.ts';
import { pluggedInterface } from '../plugged-interface.ts';
import { publishedPorts } from '../published-ports.ts';
import { interfaceOf } from '../sandbox-interface.ts';
import { bridgeMtu } from './mtu.ts';

/** Docker's names of auxiliary addresses that are the way out instead of the bridge's own address. */
const otherGateways: Readonly<Record<Family, string>> = { 4: 'DefaultGatewayIPv4', 6: 'DefaultGatewayIPv6' };

/** Nothing for an endpoint of another host, which has a bridge of its own. */
export function compileEndpoint(
  network: Network,
  endpoint: Endpoint,
  view: HostView,
): readonly KernelObject[] {
  if (endpoint.host !== view.self.name) return [];
  const ports = view.portsLeadingTo(endpoint);
  const plug = {
    ns: hostNamespace,
    bridge: bridgeNameOf(network),
    mtu: bridgeMtu(network),
    port: {
      learning: false,
      flood: false,
      ...(hasNeighbours(network) ? {} : { isolated: true as const }),
      // With br_netfilter what the endpoint sends to its own published port never leaves the bridge.
      ...(ports.length === 0 ? {} : { hairpin: true as const }),
    },
  };
  return [
    ...pluggedInterface(network, endpoint, plug),
    ...(network.ipv6 ? noAdvertisements(endpoint) : []),
    ...publishedPorts(ports, endpoint.addresses.map(addressOf)),
    ...loopbackRouting(network, ports),
    ...([4, 6] as const).flatMap((family) => defaultRoute(network, endpoint, family, view)),
  ];
}

/**
 * Lets what the host sends from 127.0.0.1 go out by the bridge, where it gets the bridge's address. What comes from the
 * bridge and names 127.0.0.0/8 is dropped by weft's table, before anything else sees it (CVE-2020-8558). A bridge that may
 * be another's outlives that table, so none of this is done to it.
 */
function loopbackRouting(network: Network, ports: readonly PublishedPort[]): Sysctl[] {
  const isWanted = ports.some(({ address }) => address === everyAddress(4) || address.startsWith('127.'));
  if (!isWanted || mayExist(network)) return [];
  const name = `net/ipv4/conf/${bridgeNameOf(network)}/route_localnet`;
  return [{ kind: 'sysctl', ns: hostNamespace, name, value: '1' }];
}

/** Neighbours shall not be each other's routers, unless the user has asked for it. */
function noAdvertisements(endpoint: Endpoint): Sysctl[] {
  const { ns, name: link } = interfaceOf(endpoint);
  const name = `net/ipv6/conf/${link}/accept_ra`;
  if (endpoint.sysctls?.some((asked) => asked.name === name) === true) return [];
  return [{ kind: 'sysctl', ns, name, value: '0' }];
}

function defaultRoute(network: Network, endpoint: Endpoint, family: Family, view: HostView): Route[] {
  const via = gatewayOf(network, family);
  if (via === undefined || !view.isGateway(endpoint, family)) return [];
  const { ns, name } = interfaceOf(endpoint);
  return [{ kind: 'route', ns, link: name, destination: everywhere(family), via, protocol: 'weft' }];
}

function gatewayOf({ subnets }: Network, family: Family): IpAddress | undefined {
  const subnet = subnets.find(({ prefix }) => familyOf(prefix) === family);
  const other = subnet?.aux.find(({ name }) => name === otherGateways[family]);
  return other?.address ?? subnet?.gateway;
}
