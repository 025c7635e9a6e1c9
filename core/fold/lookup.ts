/** Questions that the indexes of a state answer without a scan of everything. */
import { assert } from '../lib/assert.ts';
import type { Table } from '../lib/table.ts';
import type { IpAddress } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import type { EndpointId, NetworkId } from '../model/ids.ts';
import type { Mac } from '../model/mac.ts';
import { nameKey } from '../model/names.ts';
import type { Network } from '../model/network.ts';
import type { PortProtocol } from '../model/published-port.ts';
import {
  endpointNameKey,
  hostPrefix,
  macKey,
  networkPrefix,
  portPrefix,
  sandboxKey,
  sandboxPrefix,
} from './index-keys.ts';
import type { State } from './state.ts';

/** The host of that name, without regard to case. */
export function hostNamed(state: Pick<State, 'hosts' | 'hostNames'>, name: string): Host | undefined {
  const exact = state.hostNames.get(nameKey(name));
  return exact === undefined ? undefined : state.hosts.get(exact);
}

/** The live host that advertises that underlay address. */
export function hostAt(state: Pick<State, 'hosts' | 'hostAddresses'>, address: IpAddress): Host | undefined {
  const name = state.hostAddresses.get(address);
  return name === undefined ? undefined : state.hosts.get(name);
}

/** The network of that name, without regard to case. */
export function networkNamed(
  state: Pick<State, 'networks' | 'networkNames'>,
  name: string,
): Network | undefined {
  const id = state.networkNames.get(nameKey(name));
  return id === undefined ? undefined : state.networks.get(id);
}

/** The endpoint of that name in a network, without regard to case. Aliases are not looked at. */
export function endpointNamed(
  state: Pick<State, 'endpoints' | 'endpointNames'>,
  network: NetworkId,
  name: string,
): Endpoint | undefined {
  const id = state.endpointNames.get(endpointNameKey(network, name));
  return id === undefined ? undefined : state.endpoints.get(id);
}

/** The endpoint of a network that has that MAC address. */
export function endpointWithMac(
  state: Pick<State, 'endpoints' | 'macs'>,
  network: Network,
  mac: Mac,
): Endpoint | undefined {
  const id = state.macs.get(macKey(network, mac));
  return id === undefined ? undefined : state.endpoints.get(id);
}

/** Who publishes a port of a host, and at which address of it. */
export function* publishersOf(
  state: Pick<State, 'publishedPorts'>,
  host: string,
  protocol: PortProtocol,
  port: number,
): IterableIterator<{ readonly address: IpAddress; readonly endpoint: EndpointId }> {
  const prefix = portPrefix(host, protocol, port);
  for (const [key, endpoint] of state.publishedPorts.entries(prefix)) {
    if (!key.startsWith(prefix)) return;
    yield { address: key.slice(prefix.length) as IpAddress, endpoint };
  }
}

/** Whether any port of a host is published. */
export function hasPublishedPorts(state: Pick<State, 'publishedPorts'>, host: string): boolean {
  for (const key of state.publishedPorts.keys(hostPrefix(host))) return key.startsWith(hostPrefix(host));
  return false;
}

/** In the order in which they were created. */
export function endpointsOfNetwork(
  state: Pick<State, 'endpoints' | 'endpointsByNetwork'>,
  network: Network,
): IterableIterator<Endpoint> {
  return withPrefix(state, state.endpointsByNetwork, networkPrefix(network));
}

/** All endpoints on a host, sandbox by sandbox. @param host its name as written */
export function endpointsOfHost(
  state: Pick<State, 'endpoints' | 'endpointsBySandbox'>,
  host: string,
): IterableIterator<Endpoint> {
  return withPrefix(state, state.endpointsBySandbox, hostPrefix(host));
}

/** In the order in which they were created. @param host its name as written */
export function endpointsOfSandbox(
  state: Pick<State, 'endpoints' | 'endpointsBySandbox'>,
  host: string,
  identity: string,
): IterableIterator<Endpoint> {
  return withPrefix(state, state.endpointsBySandbox, sandboxPrefix(host, identity));
}

/** The endpoint on the gateway bridge of its host that a sandbox has. @param host its name as written */
export function gatewayOfSandbox(
  state: Pick<State, 'gateways'>,
  host: string,
  identity: string,
): Endpoint | undefined {
  return state.gateways.get(sandboxKey(host, identity));
}

/** The endpoints on the gateway bridge of a host. @param host its name as written */
export function* gatewaysOfHost(state: Pick<State, 'gateways'>, host: string): IterableIterator<Endpoint> {
  const prefix = hostPrefix(host);
  for (const [key, gateway] of state.gateways.entries(prefix)) {
    if (!key.startsWith(prefix)) return;
    yield gateway;
  }
}

function* withPrefix(
  state: Pick<State, 'endpoints'>,
  index: Table<string, EndpointId>,
  prefix: string,
): IterableIterator<Endpoint> {
  for (const [key, id] of index.entries(prefix)) {
    if (!key.startsWith(prefix)) return;
    const endpoint = state.endpoints.get(id);
    assert(endpoint !== undefined, 'an index names endpoints that exist');
    yield endpoint;
  }
}
