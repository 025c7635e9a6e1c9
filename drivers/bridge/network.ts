/** What a bridge network needs on a host, whatever its endpoints are: its bridge, and its place in the firewall. */
import { connectedRouteOf } from '../../core/dataplane/connected.ts';
import type { NftSetName } from '../../core/dataplane/firewall.ts';
import { hostNamespace } from '../../core/dataplane/namespace.ts';
import type { Address, KernelObject, Link, NftElement, Sysctl } from '../../core/dataplane/object.ts';
import type { HostView } from '../../core/driver/driver.ts';
import {
  bridgeNameOf,
  hasBridgeAddress,
  hasNeighbours,
  isIsolated,
  isMasqueraded,
  isOpen,
  mayExist,
} from '../../core/fold/bridge-options.ts';
import { familyOf, type InterfaceAddress, lengthOf, withLength } from '../../core/model/address.ts';
import type { Network } from '../../core/model/network.ts';
import { hostFirewall } from '../host-firewall.ts';
import { gatewayMac } from '../names.ts';
import { bridgeMtu } from './mtu.ts';

const ns = hostNamespace;
/** As Docker gives its bridges. */
const linkLocalGateway = 'fe80::1/64' as InterfaceAddress;

export function compileNetwork(network: Network, view: HostView): readonly KernelObject[] {
  const addresses = gatewayAddresses(network);
  return [
    ...hostFirewall(view),
    ...memberships(network),
    ...sysctls(network),
    bridge(network),
    ...addresses,
    ...addresses.flatMap((address) => connectedRouteOf(address) ?? []),
  ];
}

function bridge(network: Network): Link {
  return {
    kind: 'link',
    ns,
    name: bridgeNameOf(network),
    owner: `network:${network.id}`,
    up: true,
    mtu: bridgeMtu(network),
    mac: gatewayMac(network),
    type: mayExist(network) ? { type: 'bridge', adopted: 'allowed' } : { type: 'bridge' },
  };
}

function gatewayAddresses(network: Network): Address[] {
  const gateways = network.subnets
    .filter(({ prefix }) => hasBridgeAddress(network, familyOf(prefix)))
    .map(({ prefix, gateway }) => withLength(gateway, lengthOf(prefix)));
  const all = network.ipv6 && !isIsolated(network, 6) ? [...gateways, linkLocalGateway] : gateways;
  return all.map((address) => ({ kind: 'address', ns, link: bridgeNameOf(network), address }));
}

/** The sets that the bridge is in. */
function memberships(network: Network): NftElement[] {
  const name = bridgeNameOf(network);
  const member = (isMember: boolean, set: NftSetName, ...key: string[]): NftElement[] =>
    isMember ? [{ kind: 'nft-element', ns, set, key }] : [];
  return [
    ...member(true, 'bridges', name),
    ...member(hasNeighbours(network), 'neighbours', name, name),
    ...member(!network.internal, 'outward', name),
    ...member(isMasqueraded(network, 4), 'masquerade4', name),
    ...member(network.ipv6 && isMasqueraded(network, 6), 'masquerade6', name),
    ...member(isOpen(network, 4), 'inward4', name),
    ...member(network.ipv6 && isOpen(network, 6), 'inward6', name),
  ];
}

function sysctls(network: Network): Sysctl[] {
  const set = (name: string, value: string): Sysctl => ({ kind: 'sysctl', ns, name, value });
  const ofBridge = `net/ipv6/conf/${bridgeNameOf(network)}`;
  return [
    ...(network.internal ? [] : [set('net/ipv4/ip_forward', '1')]),
    ...(network.internal || !network.ipv6 ? [] : [set('net/ipv6/conf/all/forwarding', '1')]),
    // Nobody on the bridge is to tell the host where the world is. A bridge that was there may be the host's own uplink.
    ...(mayExist(network) ? [] : [set(`${ofBridge}/accept_ra`, '0')]),
    // Where it is on, the bridge has a link-local address.
    ...(network.ipv6 ? [set(`${ofBridge}/disable_ipv6`, isIsolated(network, 6) ? '1' : '0')] : []),
  ];
}
