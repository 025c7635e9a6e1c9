/**
 * Endpoints on gateway bridges: which sandboxes have one, and at which addresses. No record asks for them. They follow
 * from what a sandbox is on, by the record that alters that.
 *
 * As Docker has it, a sandbox needs one when it is on a network that leaves the way out to the gateway bridge (an overlay
 * that is not internal), and on none that gives it a way out itself. It has one then, whatever the number of its
 * networks, unless its host has no gateway subnet, or none of its addresses is left for a sandbox that comes to need one
 * by a removal, which cannot be refused.
 */
import { assert } from '../lib/assert.ts';
import { addressOf, addressToBigInt, familyOf, type Prefix } from '../model/address.ts';
import { type Endpoint, hasIpv6 } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import { gatewayEndpointIdOf } from '../model/ids.ts';
import { macOfAddress } from '../model/mac.ts';
import type { Network } from '../model/network.ts';
import type { Stamp } from '../model/stamp.ts';
import { releaseAddress, takeNextAddress } from './allocation.ts';
import type { Change } from './change.ts';
import type { Draft } from './draft.ts';
import { driverTraits, hasWayOut } from './driver-traits.ts';
import { chooseInterfaceName } from './endpoint-interface.ts';
import { gatewayAddresses, gatewayNetworkId, gatewaySpaceOf } from './gateway-network.ts';
import { endpointsOfHost, endpointsOfSandbox, gatewayOfSandbox, gatewaysOfHost } from './lookup.ts';
import { refuseUnless, type What } from './refused.ts';

/** Of one sandbox: of which host, and what its endpoints say of it. */
type Place = Pick<Endpoint, 'host' | 'sandbox'>;

/** What a sandbox on those networks needs of the gateway bridge; undefined: nothing. */
export function gatewayNeed(networks: readonly Network[]): { readonly ipv6: boolean } | undefined {
  if (networks.some(hasWayOut)) return undefined;
  const users = networks.filter(({ driver, internal }) => {
    return !internal && driverTraits(driver)?.usesGateway === true;
  });
  return users.length === 0 ? undefined : { ipv6: users.some(({ ipv6 }) => ipv6) };
}

/**
 * Gives a sandbox its gateway endpoint, or takes it, as its other endpoints are now.
 *
 * @param avoid names of interfaces in the sandbox that are not weft's
 * @param what the beginning of a refusal; absent where nothing can be refused, and what is not to be had is left out
 * @throws Refused `pool-exhausted`
 */
export function followSandbox(
  draft: Draft,
  stamp: Stamp,
  { host, sandbox }: Place,
  avoid: readonly string[],
  what?: What,
): readonly Change[] {
  const endpoints = [...endpointsOfSandbox(draft, host, sandbox.identity)];
  const present = gatewayOfSandbox(draft, host, sandbox.identity);
  const need = gatewayNeed(endpoints.map((endpoint) => networkOf(draft, endpoint)));
  const [oldest] = endpoints;
  if (need === undefined || oldest === undefined) return present === undefined ? [] : [drop(draft, present)];
  // The oldest stands for all: what the data plane calls the sandbox by is the reference of an endpoint that is there.
  const place = { host, sandbox: oldest.sandbox };
  if (present !== undefined) return alter(draft, stamp, present, place, need.ipv6);
  const subnet = draft.hosts.get(host)?.gatewaySubnet;
  if (subnet === undefined) return [];
  const ifname = chooseInterfaceName(what ?? (() => ''), endpoints, { avoid: [...avoid] });
  return give(draft, stamp, { ...place, ifname, created: stamp }, subnet, need.ipv6, what);
}

/** Takes the gateway endpoints of a host, whose other endpoints are about to go. */
export function dropGateways(draft: Draft, host: Host['name']): readonly Change[] {
  return [...gatewaysOfHost(draft, host)].map((gateway) => drop(draft, gateway));
}

/**
 * Gives the sandboxes of a host that has another gateway subnet now their addresses in it.
 *
 * @param before their gateway endpoints in the earlier one, which were dropped
 * @throws Refused `pool-exhausted`
 */
export function renumberGateways(
  draft: Draft,
  stamp: Stamp,
  { name: host, gatewaySubnet }: Host,
  before: readonly Endpoint[],
  what: What,
): readonly Change[] {
  if (gatewaySubnet === undefined)
    return before.map((gateway) => ({ type: 'gateway-removed', gateway }) as const);
  const kept = before.flatMap((gateway) =>
    give(draft, stamp, gateway, gatewaySubnet, hasIpv6(gateway), what),
  );
  const others = [...endpointsOfHost(draft, host)].flatMap((endpoint) =>
    followSandbox(draft, stamp, endpoint, [], what),
  );
  return [...kept, ...others];
}

function give(
  draft: Draft,
  stamp: Stamp,
  { host, sandbox, ifname, created }: Place & Pick<Endpoint, 'ifname' | 'created'>,
  prefix: Prefix,
  ipv6: boolean,
  what: What | undefined,
): readonly Change[] {
  const value = takeNextAddress(draft, gatewaySpaceOf(host), { prefix });
  refuseUnless(value !== undefined || what === undefined, 'pool-exhausted', () => {
    return `${what?.()}: the gateway bridge of host '${host}' has no free address in ${prefix}; remove endpoints, or start its daemon with a larger --gateway-subnet`;
  });
  if (value === undefined) return [];
  const addresses = gatewayAddresses(prefix, value, ipv6);
  const [ipv4] = addresses;
  const mac = ipv4 === undefined ? undefined : macOfAddress(addressOf(ipv4));
  const gateway: Endpoint = {
    id: gatewayEndpointIdOf(host, sandbox.identity),
    network: gatewayNetworkId,
    aliases: [],
    host,
    sandbox,
    ...(ifname === undefined ? {} : { ifname }),
    ...(mac === undefined ? {} : { mac }),
    addresses,
    created,
    changed: stamp,
  };
  draft.addGateway(gateway);
  return [{ type: 'gateway-set', gateway }];
}

/** One that stays, with IPv6 or without, and by the reference that is right now. */
function alter(
  draft: Draft,
  stamp: Stamp,
  present: Endpoint,
  { host, sandbox }: Place,
  ipv6: boolean,
): readonly Change[] {
  if (hasIpv6(present) === ipv6 && present.sandbox.ref === sandbox.ref) return [];
  const subnet = draft.hosts.get(host)?.gatewaySubnet;
  assert(subnet !== undefined, 'a host with gateway endpoints has a gateway subnet');
  const addresses = gatewayAddresses(subnet, ipv4Of(present), ipv6);
  const gateway: Endpoint = { ...present, sandbox, addresses, changed: stamp };
  draft.removeGateway(present);
  draft.addGateway(gateway);
  return [{ type: 'gateway-set', gateway }];
}

function drop(draft: Draft, gateway: Endpoint): Change {
  const { host } = gateway;
  const prefix = draft.hosts.get(host)?.gatewaySubnet;
  assert(prefix !== undefined, 'a host with gateway endpoints has a gateway subnet');
  draft.removeGateway(gateway);
  for (const address of gateway.addresses.map(addressOf)) {
    if (familyOf(address) === 4) releaseAddress(draft, gatewaySpaceOf(host), prefix, address);
  }
  return { type: 'gateway-removed', gateway };
}

function ipv4Of({ addresses: [first] }: Endpoint): bigint {
  assert(first !== undefined, 'a gateway endpoint has an IPv4 address');
  return addressToBigInt(addressOf(first));
}

function networkOf(draft: Draft, endpoint: Endpoint): Network {
  const network = draft.networks.get(endpoint.network);
  assert(network !== undefined, 'the network of an endpoint exists');
  return network;
}
