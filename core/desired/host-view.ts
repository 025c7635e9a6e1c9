/** What the drivers see of the cluster, and what the compilation is told of its surroundings. */
import type { HostView } from '../driver/driver.ts';
import { gatewayNetworkId } from '../fold/gateway-network.ts';
import type { State } from '../fold/state.ts';
import type { Family } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import type { NetworkId } from '../model/ids.ts';
import { gatewayOf } from './default-route.ts';
import { portsLeadingTo } from './published-ports.ts';

/** What the operator of a host allows there. It is in no record, so only that host's own daemon knows it. */
export interface HostAllowances {
  /** Whether weft may add its rule to chains of other firewalls. Absent: not. */
  readonly acceptInForeignChains?: boolean;
  /** Whether VXLAN frames may come in from addresses that are no host's. Absent: not. */
  readonly acceptForeignVteps?: boolean;
}

export interface DesiredOptions extends HostAllowances {
  /** Name of the host that is compiled for. */
  readonly host: string;
  /** Prefix of the names of owned namespaces, `weft-` by default. */
  readonly netnsPrefix: string;
  /** Named endpoints of one network that hosts files list; `hostsEndpointsPerNetworkMax` unless given. */
  readonly hostsEndpointsMax?: number;
}

/**
 * Undefined as long as the host has not joined, or no longer is a member: then nothing is desired on it.
 *
 * @param siblingsOf every endpoint of the sandbox of one of this host's endpoints
 * @param mtuMin `underlayMtuMinOf(state)`, which the caller keeps because it takes a look at every host
 */
export function hostViewOf(
  state: State,
  options: DesiredOptions,
  mtuMin: number | undefined,
  siblingsOf: (endpoint: Endpoint) => Iterable<Endpoint>,
): HostView | undefined {
  const self = state.hosts.get(options.host);
  if (self === undefined) return undefined;
  const networkOf = (id: NetworkId) => state.networks.get(id);
  // Whoever has a gateway endpoint has no other way out.
  const isGateway = (endpoint: Endpoint, family: Family): boolean =>
    endpoint.network === gatewayNetworkId ||
    gatewayOf(siblingsOf(endpoint), family, networkOf)?.id === endpoint.id;
  return {
    self,
    netnsPrefix: options.netnsPrefix,
    acceptsInForeignChains: options.acceptInForeignChains ?? false,
    acceptsForeignVteps: options.acceptForeignVteps ?? false,
    host: (name) => state.hosts.get(name),
    isGateway,
    portsLeadingTo: (endpoint) =>
      portsLeadingTo(endpoint, siblingsOf(endpoint), (family) => isGateway(endpoint, family), networkOf),
    ...(mtuMin === undefined ? {} : { underlayMtuMin: mtuMin }),
  };
}

/** Smallest underlay MTU of the cluster, bytes: what every host's underlay carries. Undefined without hosts. */
export function underlayMtuMinOf(state: State): number | undefined {
  let min: number | undefined;
  for (const { mtu } of state.hosts.values()) min = min === undefined ? mtu : Math.min(min, mtu);
  return min;
}

/**
 * Whether the names of endpoints on another host resolve here: not while it is down. Those of this host always do, which
 * is as near to them as their sandboxes are.
 */
export function resolvesHere(state: State, host: string, self: string): boolean {
  return host === self || !state.downHosts.has(host);
}

/** Whether a re-join alters what drivers may look at: where the host's tunnels end, how much goes through them, and its gateway bridge. */
export function altersDataPlane(host: Host, previous: Host | undefined): boolean {
  return (
    previous === undefined ||
    host.address !== previous.address ||
    host.mtu !== previous.mtu ||
    host.gatewaySubnet !== previous.gatewaySubnet
  );
}
