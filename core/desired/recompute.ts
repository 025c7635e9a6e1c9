/**
 * The desired state compiled from nothing: the oracle that the incremental compilation must equal after every step. It
 * shares with it how one part is compiled, and nothing of how parts are tracked.
 */
import { keyOf } from '../dataplane/key.ts';
import type { KernelObject } from '../dataplane/object.ts';
import type { Driver, HostView } from '../driver/driver.ts';
import { driverTraits } from '../fold/driver-traits.ts';
import { gatewayNetworkId } from '../fold/gateway-network.ts';
import type { State } from '../fold/state.ts';
import { assert } from '../lib/assert.ts';
import { same } from '../lib/same.ts';
import { hostsEndpointsPerNetworkMax } from '../limits.ts';
import { type Endpoint, hasIpv6 } from '../model/endpoint.ts';
import type { NetworkId } from '../model/ids.ts';
import { gatewayBridge, gatewayInterface } from './gateways.ts';
import { type DesiredOptions, hostViewOf, resolvesHere, underlayMtuMinOf } from './host-view.ts';
import { isNamed } from './hosts-entries.ts';
import { hostsFileOf } from './hosts-file.ts';
import { latestIdentity } from './local-endpoints.ts';
import { NameList } from './name-list.ts';

/** Every desired object of the host, by key. */
export function recompute(
  drivers: ReadonlyMap<string, Driver>,
  options: DesiredOptions,
  state: State,
): ReadonlyMap<string, KernelObject> {
  const view = hostViewOf(state, options, underlayMtuMinOf(state), ({ host, sandbox }) =>
    [...state.endpoints.values()].filter(
      (other) => other.host === host && other.sandbox.identity === sandbox.identity,
    ),
  );
  if (view === undefined) return new Map();
  const endpoints = [...state.endpoints.values()];
  const placed = endpoints.filter(
    (endpoint) => endpoint.host !== options.host || isLatest(endpoint, endpoints),
  );
  const local = placed.filter((endpoint) => endpoint.host === options.host);
  const objects: KernelObject[] = [];
  const lists = new Map<NetworkId, NameList>();
  for (const network of state.networks.values()) {
    const driver = drivers.get(network.driver);
    if (driver === undefined || !local.some((endpoint) => endpoint.network === network.id)) continue;
    const isLocalNetwork = driverTraits(network.driver)?.isLocal === true;
    const members = (isLocalNetwork ? local : placed).filter((endpoint) => endpoint.network === network.id);
    objects.push(...driver.compileNetwork(network, view));
    objects.push(...members.flatMap((endpoint) => driver.compileEndpoint(network, endpoint, view)));
    const list = new NameList(network, options.hostsEndpointsMax ?? hostsEndpointsPerNetworkMax);
    const resolving = members.filter(({ host }) => resolvesHere(state, host, options.host));
    for (const endpoint of resolving.filter(isNamed)) list.add(endpoint);
    lists.set(network.id, list);
  }
  objects.push(...gatewaysOf(state, options, drivers, view, local));
  for (const driver of drivers.values()) {
    const isUsed = [...lists.keys()].some((id) => state.networks.get(id)?.driver === driver.name);
    if (!isUsed || driver.compileHost === undefined) continue;
    for (const host of state.hosts.values()) objects.push(...driver.compileHost(host, view));
  }
  for (const ref of new Set(local.map((endpoint) => endpoint.sandbox.ref))) {
    const own = local.filter((endpoint) => endpoint.sandbox.ref === ref);
    const file = hostsFileOf(ref, own, (network) => lists.get(network));
    if (file !== undefined) objects.push(file);
  }
  return byKey(objects);
}

/** The gateway bridge with the interfaces of those sandboxes whose endpoints are placed here. */
function gatewaysOf(
  state: State,
  { host }: DesiredOptions,
  drivers: ReadonlyMap<string, Driver>,
  view: HostView,
  local: readonly Endpoint[],
): readonly KernelObject[] {
  const network = state.networks.get(gatewayNetworkId);
  const driver = drivers.get(network?.driver ?? '');
  if (network === undefined || driver === undefined) return [];
  const placed = [...state.gateways.values()].filter(
    (gateway) =>
      gateway.host === host &&
      local.some(({ sandbox: { ref, identity } }) => {
        return ref === gateway.sandbox.ref && identity === gateway.sandbox.identity;
      }),
  );
  const counts = { size: placed.length, withIpv6: placed.filter(hasIpv6).length };
  return [
    ...gatewayBridge({ network, driver }, counts, view),
    ...placed.flatMap((gateway) => gatewayInterface({ network, driver }, gateway, view)),
  ];
}

function isLatest(endpoint: Endpoint, endpoints: readonly Endpoint[]): boolean {
  const neighbours = endpoints.filter(
    (other) => other.host === endpoint.host && other.sandbox.ref === endpoint.sandbox.ref,
  );
  return endpoint.sandbox.identity === latestIdentity(neighbours);
}

function byKey(objects: readonly KernelObject[]): ReadonlyMap<string, KernelObject> {
  const map = new Map<string, KernelObject>();
  for (const object of objects) {
    const key = keyOf(object);
    const present = map.get(key);
    assert(present === undefined || same(present, object), `two parts of the desired state differ on ${key}`);
    map.set(key, object);
  }
  return map;
}
