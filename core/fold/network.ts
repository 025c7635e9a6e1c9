/** Networks: made with subnets, gateways and a VNI of their own, and removed when nobody is on them. */
import { derivedIpv6Pool, nextDefaultPool, nextLocalPool } from '../ipam/default-pools.ts';
import { quote } from '../lib/quote.ts';
import type { BodyOf, RecordOf } from '../log/record.ts';
import { addressFromBigInt, boundsOf, familyOf, type Prefix, prefixesAmong } from '../model/address.ts';
import { type NetworkId, networkIdOf } from '../model/ids.ts';
import { isName, nameKey, nameRule } from '../model/names.ts';
import { defaultSpace, isPredefined, type Network, type Subnet } from '../model/network.ts';
import {
  joinPool,
  leavePool,
  releaseAddress,
  takeAddress,
  takeNextAddress,
  takeNextVni,
} from './allocation.ts';
import { bridgeNameOf, bridgeNameOption, checkIsolation } from './bridge-options.ts';
import type { Context, Decision } from './decision.ts';
import type { Draft } from './draft.ts';
import { type DriverTraits, driverNames, driverTraits, parentOption, vniOption } from './driver-traits.ts';
import { endpointsOfNetwork, networkNamed } from './lookup.ts';
import { checkIpv6Mtu, checkLabels, checkOptions } from './network-options.ts';
import { predefinedNetworks } from './predefined.ts';
import { Refused, refuseUnless } from './refused.ts';
import { planSubnets, type SubnetPlan } from './subnet-plan.ts';

/** Names that mean something to Docker's users, beside those of the networks that are predefined here. */
const reservedNames: ReadonlySet<string> = new Set([
  ...predefinedNetworks.map(({ name }) => name),
  'default',
]);

export function createNetwork({ draft, stamp }: Context, record: RecordOf<'network-create'>): Decision {
  const { body } = record;
  const what = `Cannot create network ${quote(body.name)}`;
  const id = networkIdOf(record.id);
  refuseUnless(
    !draft.networks.has(id),
    'duplicate',
    () => `${what}: record ${record.id} has made a network before; ask again`,
  );
  checkName(what, draft, body.name);
  refuseUnless(
    isName(body.space),
    'bad-name',
    () => `${what}: ${quote(body.space)} is no name of an address space: ${nameRule}`,
  );
  const traits = driverTraits(body.driver);
  refuseUnless(traits !== undefined, 'unknown-driver', () => {
    return `${what}: there is no driver ${quote(body.driver)}; choose one of ${driverNames.join(', ')}`;
  });
  refuseUnless(!traits.isSingle, 'predefined-network', () => {
    const { name } = predefinedNetworks.find(({ driver }) => driver === body.driver) ?? body;
    return `${what}: only one instance of ${quote(body.driver)} network is allowed; connect to ${quote(name)}, which is there`;
  });
  const options = checkOptions(what, body.driver, traits, body.options);
  checkParent(what, draft, options[parentOption]);
  checkIsolation(what, { options, internal: body.internal });
  checkBridgeName(what, draft, body.driver, { id, options });
  const space = spaceOf(what, body, traits);
  const labels = checkLabels(what, body.labels);
  const subnets = allocateSubnets(what, draft, { id, space }, body, traits);
  const ipv6 = subnets.some((subnet) => familyOf(subnet.prefix) === 6);
  if (ipv6) checkIpv6Mtu(what, options);
  const vni = traits.hasVni ? allocateVni(what, draft, options[vniOption]) : undefined;
  const network: Network = {
    id,
    name: body.name,
    driver: body.driver,
    ...(vni === undefined ? {} : { vni }),
    subnets,
    ipv6,
    space,
    internal: body.internal,
    options,
    labels,
    created: stamp,
    changed: stamp,
  };
  draft.addNetwork(network);
  return { subject: { type: 'network', id }, changes: [{ type: 'network-added', network }] };
}

export function removeNetwork({ draft }: Context, record: RecordOf<'network-remove'>): Decision {
  const id = record.body.network as NetworkId;
  const network = draft.networks.get(id);
  refuseUnless(
    network !== undefined,
    'no-such-network',
    () => `No network has the id ${id}: see \`weft network ls\``,
  );
  refuseUnless(!isPredefined(network), 'predefined-network', () => {
    return `Cannot remove network ${quote(network.name)}: it is a pre-defined network and cannot be removed; remove others`;
  });
  const endpoints = countOf(endpointsOfNetwork(draft, network));
  refuseUnless(endpoints === 0, 'network-in-use', () => {
    const several = endpoints === 1 ? '1 endpoint; disconnect it' : `${endpoints} endpoints; disconnect them`;
    return `Cannot remove network ${quote(network.name)}: it has ${several} first`;
  });
  const space = nameKey(network.space);
  for (const subnet of network.subnets) {
    for (const address of [subnet.gateway, ...subnet.aux.map((aux) => aux.address)]) {
      releaseAddress(draft, space, subnet.prefix, address);
    }
    leavePool(draft, space, subnet);
  }
  if (network.vni !== undefined) draft.releaseVni(BigInt(network.vni));
  draft.removeNetwork(network);
  return { subject: { type: 'network', id }, changes: [{ type: 'network-removed', network }] };
}

function checkName(what: string, draft: Draft, name: string): void {
  refuseUnless(isName(name), 'bad-name', () => `${what}: that is no name for a network: ${nameRule}`);
  refuseUnless(!reservedNames.has(nameKey(name)), 'name-reserved', () => {
    return `${what}: the name belongs to a predefined network; choose another`;
  });
  const other = networkNamed(draft, name);
  refuseUnless(other === undefined, 'name-taken', () => {
    return `${what}: network ${other?.id.slice(0, 12)} is called ${quote(other?.name ?? '')}; choose another name or remove it first`;
  });
}

/** As Docker has it. Two networks on one link would be one segment that two hand out addresses of. */
function checkParent(what: string, draft: Draft, parent: string | undefined): void {
  const id = parent === undefined ? undefined : draft.parents.get(parent);
  const other = id === undefined ? undefined : draft.networks.get(id);
  refuseUnless(other === undefined, 'parent-taken', () => {
    return `${what}: network ${quote(other?.name ?? '')} is already using parent interface ${quote(parent ?? '')}; connect to that, or choose another parent`;
  });
}

function allocateSubnets(
  what: string,
  draft: Draft,
  network: Pick<Network, 'id' | 'space'>,
  body: BodyOf<'network-create'>,
  traits: DriverTraits,
): readonly Subnet[] {
  if (!traits.hasAddresses) {
    refuseUnless(
      body.subnets.length === 0,
      'bad-subnet',
      () => `${what}: driver ${body.driver} has no addresses; leave out the subnets`,
    );
    refuseUnless(
      !body.ipv6,
      'bad-option',
      () => `${what}: driver ${body.driver} has no addresses; leave out IPv6`,
    );
    return [];
  }
  const asked = planSubnets(what, body.subnets);
  if (traits.space !== undefined) checkSingle(what, body.driver, asked);
  const space = nameKey(network.space);
  for (const plan of asked) claimPool(what, draft, space, plan, traits.space === undefined);
  const next = traits.space === undefined ? claimDefaultPool : claimLocalPool(body.avoid ?? []);
  const automatic4 = () => next(what, draft, space);
  return withAutomatic(what, draft, { id: network.id, space }, asked, body.ipv6, automatic4).map((plan) => {
    return allocateSubnet(what, draft, space, plan);
  });
}

/** Where the network's addresses must be unique. @throws Refused `bad-option` where that is not the user's to choose */
function spaceOf(what: string, { space, driver }: BodyOf<'network-create'>, traits: DriverTraits): string {
  if (traits.space === undefined) return space;
  refuseUnless(space === defaultSpace || nameKey(space) === traits.space, 'bad-option', () => {
    return `${what}: networks of driver ${driver} are all in address space ${quote(traits.space ?? '')}; leave out --address-space`;
  });
  return traits.space;
}

function checkSingle(what: string, driver: string, plans: readonly SubnetPlan[]): void {
  const second = plans.find(({ prefix }, at) =>
    plans.slice(0, at).some((earlier) => familyOf(earlier.prefix) === familyOf(prefix)),
  );
  refuseUnless(second === undefined, 'bad-subnet', () => {
    return `${what}: driver ${driver} takes one subnet of a family; leave out ${second?.prefix}`;
  });
}

/** Two networks on one bridge would be one network. @throws Refused `bridge-taken` */
function checkBridgeName(
  what: string,
  draft: Draft,
  driver: string,
  network: Pick<Network, 'id' | 'options'>,
): void {
  if (driver !== 'bridge') return;
  const name = bridgeNameOf(network);
  const other = [...draft.networks.values()].find(
    (each) => each.driver === driver && bridgeNameOf(each) === name,
  );
  refuseUnless(other === undefined, 'bridge-taken', () => {
    return `${what}: network ${quote(other?.name ?? '')} has the bridge ${name}; choose another ${bridgeNameOption}`;
  });
}

/** Puts the subnet on its pool. @throws Refused `pool-overlap` when another network's is in the way */
function claimPool(what: string, draft: Draft, space: string, plan: SubnetPlan, mayShare: boolean): void {
  const other = draft.pools.overlapping(space, familyOf(plan.prefix), boundsOf(plan.prefix));
  refuseUnless(other === undefined || (mayShare && other.prefix === plan.prefix), 'pool-overlap', () => {
    const advice = mayShare ? 'another subnet or another --address-space' : 'another subnet';
    return `${what}: ${plan.prefix} overlaps ${other?.prefix}, a pool of address space ${quote(space)}; choose ${advice}`;
  });
  joinPool(draft, space, plan);
}

/** Adds the subnets that were not asked for: IPv4 always, IPv6 where it is wanted. */
function withAutomatic(
  what: string,
  draft: Draft,
  { id, space }: Pick<Network, 'id' | 'space'>,
  asked: readonly SubnetPlan[],
  ipv6: boolean,
  nextIpv4: () => Prefix,
): readonly SubnetPlan[] {
  const has = (family: number) => asked.some((plan) => familyOf(plan.prefix) === family);
  const ipv4Plans = has(4) ? [] : [automatic(nextIpv4())];
  if (!ipv6 || has(6)) return [...ipv4Plans, ...asked];
  const derived = derivedIpv6Pool(draft.pools, space, id);
  refuseUnless(derived !== undefined, 'pools-exhausted', () => {
    return `${what}: pools of address space ${quote(space)} cover fd00::/8; give an IPv6 --subnet`;
  });
  joinPool(draft, space, automatic(derived));
  return [...ipv4Plans, ...asked, automatic(derived)];
}

function claimDefaultPool(what: string, draft: Draft, space: string): Prefix {
  const next = nextDefaultPool(draft.pools, space);
  refuseUnless(next !== undefined, 'pools-exhausted', () => {
    return `${what}: address space ${quote(space)} has no free /24 in 10.0.0.0/8; give a --subnet or remove networks`;
  });
  joinPool(draft, space, automatic(next.prefix));
  draft.setSpaceCursor(space, next.cursor);
  return next.prefix;
}

/** @param avoided prefixes that the author's host has routes to; what is none is ignored */
function claimLocalPool(avoided: readonly string[]): typeof claimDefaultPool {
  const prefixes = prefixesAmong(avoided);
  return (what, draft, space) => {
    const prefix = nextLocalPool(draft.pools, space, prefixes);
    refuseUnless(prefix !== undefined, 'pools-exhausted', () => {
      return `${what}: no default pool in 172.17.0.0-172.31.255.255 or 192.168.0.0/16 is free and without a route on this host; give a --subnet or remove networks`;
    });
    joinPool(draft, space, automatic(prefix));
    return prefix;
  };
}

function automatic(prefix: Prefix): SubnetPlan {
  return { prefix, aux: [] };
}

/** Takes what was asked for by address first, so that the automatic gateway cannot be in its way. */
function allocateSubnet(what: string, draft: Draft, space: string, plan: SubnetPlan): Subnet {
  const { prefix, range, aux } = plan;
  const named = plan.gateway === undefined ? aux : [{ name: 'gateway', address: plan.gateway }, ...aux];
  for (const { name, address } of named) {
    refuseUnless(takeAddress(draft, space, prefix, address), 'address-taken', () => {
      return `${what}: ${address} (${name}) is in use on another network of ${prefix}; choose another address`;
    });
  }
  const gateway = plan.gateway ?? nextGateway(what, draft, space, plan);
  return { prefix, gateway, ...(range === undefined ? {} : { range }), aux };
}

function nextGateway(what: string, draft: Draft, space: string, plan: SubnetPlan) {
  const value = takeNextAddress(draft, space, plan);
  refuseUnless(value !== undefined, 'pool-exhausted', () => {
    return `${what}: ${plan.range ?? plan.prefix} has no free address for the gateway; give a --gateway or a larger range`;
  });
  return addressFromBigInt(value, familyOf(plan.prefix));
}

function allocateVni(what: string, draft: Draft, asked: string | undefined): number {
  if (asked === undefined) {
    const vni = takeNextVni(draft);
    if (vni === undefined)
      throw new Refused('vnis-exhausted', `${what}: every VNI is in use; remove networks`);
    return vni;
  }
  refuseUnless(!draft.vnis.has(BigInt(asked)), 'vni-taken', () => {
    return `${what}: another network has VNI ${asked}; choose another or leave out ${vniOption}`;
  });
  draft.takeVni(BigInt(asked));
  return Number(asked);
}

function countOf(items: Iterable<unknown>): number {
  let count = 0;
  for (const _ of items) count += 1;
  return count;
}
