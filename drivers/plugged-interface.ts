/** The interface of an endpoint that is plugged into a bridge: a veth pair between the bridge and its sandbox. */
import type { Namespace } from '../core/dataplane/namespace.ts';
import type { BridgePort, KernelObject, Link, Route } from '../core/dataplane/object.ts';
import { assert } from '../core/lib/assert.ts';
import { addressOf, contains, familyOf, type InterfaceAddress } from '../core/model/address.ts';
import type { Endpoint } from '../core/model/endpoint.ts';
import type { Network } from '../core/model/network.ts';
import { loopbackUp } from './loopback.ts';
import { vethName } from './names.ts';
import { addressing, interfaceOf } from './sandbox-interface.ts';

/** Where it is plugged in. */
export interface Plug {
  readonly ns: Namespace;
  readonly bridge: string;
  /** Of both ends, bytes. */
  readonly mtu: number;
  readonly port: BridgePort;
}

/** For an endpoint of this host. The bridge learns nothing: the endpoint's MAC is in its table. */
export function pluggedInterface(network: Network, endpoint: Endpoint, plug: Plug): KernelObject[] {
  const { ns, name } = interfaceOf(endpoint);
  return [
    loopbackUp(ns),
    ...vethPair(endpoint, plug),
    { kind: 'fdb', ns: plug.ns, link: vethName(endpoint), mac: macOf(endpoint) },
    ...addressing(endpoint),
    ...endpoint.addresses.flatMap((address) => routesToOtherSubnets(network, address, ns, name)),
  ];
}

function vethPair(endpoint: Endpoint, { ns, bridge, mtu, port }: Plug): Link[] {
  const inside = interfaceOf(endpoint);
  const outside = { ns, name: vethName(endpoint) };
  const both = { kind: 'link', owner: `endpoint:${endpoint.id}`, up: true, mtu } as const;
  return [
    { ...both, ...outside, master: bridge, port, type: { type: 'veth', peer: inside } },
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

export function macOf(endpoint: Endpoint): NonNullable<Endpoint['mac']> {
  assert(endpoint.mac !== undefined, `endpoint ${endpoint.id} has a MAC`);
  return endpoint.mac;
}
