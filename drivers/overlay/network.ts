/** What an overlay network needs on a host, whatever its endpoints are: its namespace, bridge and VXLAN end. */
import { connectedRouteOf } from '../../core/dataplane/connected.ts';
import type { Namespace } from '../../core/dataplane/namespace.ts';
import type { Address, KernelObject, Link, Sysctl } from '../../core/dataplane/object.ts';
import { vxlanPort } from '../../core/dataplane/vxlan.ts';
import type { HostView } from '../../core/driver/driver.ts';
import { assert } from '../../core/lib/assert.ts';
import {
  type Family,
  familyOf,
  type InterfaceAddress,
  lengthOf,
  withLength,
} from '../../core/model/address.ts';
import type { Network } from '../../core/model/network.ts';
import { loopbackUp } from '../loopback.ts';
import { gatewayMac } from '../names.ts';
import { membersOnly } from './members-only.ts';
import { overlayMtu } from './mtu.ts';
import { bridgeName, overlayNamespace, vxlanName } from './names.ts';

/** As Docker gives its bridges. Every host has it on its own br0; it is never on the underlay. */
const linkLocalGateway = 'fe80::1/64' as InterfaceAddress;

export function compileNetwork(network: Network, view: HostView): readonly KernelObject[] {
  const ns = overlayNamespace(network, view.netnsPrefix);
  const addresses = gatewayAddresses(network, ns);
  return [
    { kind: 'netns', ns },
    ...sysctls(network, ns),
    ...membersOnly(vniOf(network), view),
    loopbackUp(ns),
    bridge(network, ns, view),
    vxlan(network, ns, view),
    ...addresses,
    ...addresses.flatMap((address) => connectedRouteOf(address) ?? []),
  ];
}

function bridge(network: Network, ns: Namespace, view: HostView): Link {
  return {
    kind: 'link',
    ns,
    name: bridgeName,
    owner: `network:${network.id}`,
    up: true,
    mtu: overlayMtu(network, view),
    mac: gatewayMac(network),
    type: { type: 'bridge' },
  };
}

function vxlan(network: Network, ns: Namespace, view: HostView): Link {
  return {
    kind: 'link',
    ns,
    name: vxlanName,
    owner: `network:${network.id}`,
    up: true,
    mtu: overlayMtu(network, view),
    master: bridgeName,
    // Unknown unicast is flooded here and nowhere else: this link's own FDB decides.
    port: { learning: false, flood: true },
    type: { type: 'vxlan', vni: vniOf(network), local: view.self.address, port: vxlanPort },
  };
}

function vniOf({ id, vni }: Network): number {
  assert(vni !== undefined, `overlay network ${id} has a VNI`);
  return vni;
}

function gatewayAddresses(network: Network, ns: Namespace): Address[] {
  const gateways = network.subnets.map(({ prefix, gateway }) => withLength(gateway, lengthOf(prefix)));
  const all = subnetsOf(network, 6) === 0 ? gateways : [...gateways, linkLocalGateway];
  return all.map((address) => ({ kind: 'address', ns, link: bridgeName, address }));
}

function sysctls(network: Network, ns: Namespace): Sysctl[] {
  const set = (name: string, value: string): Sysctl => ({ kind: 'sysctl', ns, name, value });
  return [
    set('net/ipv6/conf/default/disable_ipv6', '1'),
    ...(subnetsOf(network, 6) > 0
      ? [
          // 1 is IN6_ADDR_GEN_MODE_NONE: no link-local address is made when IPv6 is switched on.
          set('net/ipv6/conf/default/addr_gen_mode', '1'),
          set(`net/ipv6/conf/${bridgeName}/disable_ipv6`, '0'),
          // Without IPv6 the link takes no IPv6 neighbours to answer from.
          set(`net/ipv6/conf/${vxlanName}/disable_ipv6`, '0'),
        ]
      : []),
    // The gateway routes between the subnets of the network. A new namespace has the host's setting for IPv4.
    ...(subnetsOf(network, 4) > 1
      ? [
          set('net/ipv4/ip_forward', '1'),
          // Endpoints have the routes that weft gives them; in and out of br0 is the way, not a detour to be told of.
          set('net/ipv4/conf/all/send_redirects', '0'),
          set(`net/ipv4/conf/${bridgeName}/send_redirects`, '0'),
        ]
      : []),
    ...(subnetsOf(network, 6) > 1 ? [set('net/ipv6/conf/all/forwarding', '1')] : []),
  ];
}

function subnetsOf(network: Network, family: Family): number {
  return network.subnets.filter(({ prefix }) => familyOf(prefix) === family).length;
}
