/** Checks gateway endpoints: who has one, with what, and what of pools they and their hosts hold. */
import { newPool, type Pool } from '../ipam/pool.ts';
import { addressOf, addressToBigInt, contains, type IpAddress } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { gatewayEndpointIdOf } from '../model/ids.ts';
import { gatewayNeed } from './gateway.ts';
import {
  gatewayAddresses,
  gatewayAddressOf,
  gatewayNetworkId,
  gatewaySpaceOf,
  localSpace,
} from './gateway-network.ts';
import { sandboxKey } from './index-keys.ts';
import type { State } from './state.ts';

/**
 * A sandbox has a gateway endpoint if its networks say so, and with the addresses that they say: no other, and none too
 * few but where its host had none to give.
 */
export function checkGateways(state: State, faults: string[]): void {
  const sandboxes = new Map<string, Endpoint[]>([...state.gateways.keys()].map((key) => [key, []]));
  for (const endpoint of state.endpoints.values()) {
    const key = sandboxKey(endpoint.host, endpoint.sandbox.identity);
    sandboxes.set(key, [...(sandboxes.get(key) ?? []), endpoint]);
  }
  for (const [key, endpoints] of sandboxes) {
    endpoints.sort((a, b) => a.created.ordinal - b.created.ordinal);
    checkSandbox(state, key, endpoints, faults);
  }
}

function checkSandbox(state: State, key: string, endpoints: readonly Endpoint[], faults: string[]): void {
  const what = `gateway endpoint of ${key}`;
  const need = gatewayNeed(endpoints.flatMap(({ network }) => state.networks.get(network) ?? []));
  const gateway = state.gateways.get(key);
  const [oldest] = endpoints;
  if (gateway !== undefined) {
    if (need === undefined || oldest === undefined) faults.push(`${what} is not needed`);
    else checkGateway(state, gateway, oldest, need.ipv6, faults);
  } else if (need !== undefined && oldest !== undefined && hasRoom(state, oldest.host)) {
    faults.push(`${what} is missing`);
  }
}

function checkGateway(
  state: State,
  gateway: Endpoint,
  oldest: Endpoint,
  ipv6: boolean,
  faults: string[],
): void {
  const { host, sandbox, addresses } = gateway;
  const what = `gateway endpoint ${gateway.id}`;
  if (gateway.id !== gatewayEndpointIdOf(host, sandbox.identity) || gateway.network !== gatewayNetworkId)
    faults.push(`${what} is another's`);
  if (sandbox.ref !== oldest.sandbox.ref)
    faults.push(`${what} is in ${sandbox.ref}, not ${oldest.sandbox.ref}`);
  const subnet = state.hosts.get(host)?.gatewaySubnet;
  const [ipv4] = addresses;
  if (subnet === undefined || ipv4 === undefined || !contains(subnet, addressOf(ipv4))) {
    faults.push(`${what} has ${ipv4}, which is not in the gateway subnet of ${host}`);
    return;
  }
  const right = gatewayAddresses(subnet, addressToBigInt(addressOf(ipv4)), ipv6).join();
  if (addresses.join() !== right) faults.push(`${what} has ${addresses.join()} and should have ${right}`);
}

function hasRoom(state: State, host: string): boolean {
  const subnet = state.hosts.get(host)?.gatewaySubnet;
  const pool = subnet === undefined ? undefined : state.pools.pool(gatewaySpaceOf(host), subnet);
  return pool !== undefined && pool.taken.nextFree(pool.first) <= pool.last;
}

/** Two for each host with a gateway subnet: its own, and the one among bridges, which other hosts may share. */
export function* gatewayPools(state: State): IterableIterator<Pool> {
  for (const { name, gatewaySubnet } of state.hosts.values()) {
    if (gatewaySubnet === undefined) continue;
    yield newPool(localSpace, gatewaySubnet);
    yield newPool(gatewaySpaceOf(name), gatewaySubnet);
  }
}

/** What hosts and their sandboxes hold in the hosts' own pools, with who holds it. */
export function* gatewayClaims(state: State): IterableIterator<readonly [Pool, IpAddress, string]> {
  for (const { name, gatewaySubnet } of state.hosts.values()) {
    if (gatewaySubnet === undefined) continue;
    yield [
      newPool(gatewaySpaceOf(name), gatewaySubnet),
      gatewayAddressOf(gatewaySubnet),
      `the bridge of ${name}`,
    ];
  }
  for (const [key, { host, addresses }] of state.gateways.entries()) {
    const subnet = state.hosts.get(host)?.gatewaySubnet;
    const [ipv4] = addresses;
    if (subnet === undefined || ipv4 === undefined) continue;
    yield [newPool(gatewaySpaceOf(host), subnet), addressOf(ipv4), `the gateway endpoint of ${key}`];
  }
}
