/**
 * The gateway subnet of a host: decided when it joins, by what its daemon asks for, or by what is free there.
 *
 * All hosts may have the same one, and have it where they can: each has its own addresses in it. It stands among the
 * subnets of bridges, none of which it overlaps, whatever host they are on.
 */
import { lastLocalPool } from '../ipam/default-pools.ts';
import { assert } from '../lib/assert.ts';
import type { BodyOf } from '../log/record.ts';
import { boundsOf, familyOf, overlaps, type Prefix, prefixesAmong } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import { joinPool, leavePool, releaseAddress, takeAddress } from './allocation.ts';
import type { Draft } from './draft.ts';
import { dropGateways } from './gateway.ts';
import { gatewayAddressOf, gatewaySpaceOf, localSpace } from './gateway-network.ts';
import { gatewaysOfHost } from './lookup.ts';
import { refuseUnless, type What } from './refused.ts';
import { planSubnets } from './subnet-plan.ts';

export interface GatewayMove {
  /** Absent where none was free. */
  readonly subnet?: Prefix;
  /** The gateway endpoints that the host had in the subnet before, which are gone; absent where it keeps its subnet. */
  readonly dropped?: readonly Endpoint[];
}

/**
 * The one that is asked for; else the one that the host has, as long as there are sandboxes on it or no route of the host
 * is in its way; else one that other hosts have; else the last of the local pools that is free.
 *
 * @param previous the host as it is, if it has joined before
 * @throws Refused `bad-subnet`, `pool-overlap`
 */
export function settleGatewaySubnet(
  what: What,
  draft: Draft,
  name: Host['name'],
  previous: Host | undefined,
  { gatewaySubnet: text, avoid = [] }: Pick<BodyOf<'host-join'>, 'gatewaySubnet' | 'avoid'>,
): GatewayMove {
  const avoided = prefixesAmong(avoid);
  const asked = text === undefined ? undefined : askedSubnet(what, text);
  const present = previous?.gatewaySubnet;
  if (present !== undefined && (asked ?? kept(draft, name, present, avoided)) === present)
    return { subnet: present };
  const dropped = previous === undefined ? [] : [...gatewaysOfHost(draft, name)];
  dropGateways(draft, name);
  if (previous !== undefined) leaveGatewaySubnet(draft, previous);
  if (asked !== undefined) requireFree(what, draft, name, asked);
  const subnet =
    asked ?? sharedSubnet(draft, name, avoided) ?? lastLocalPool(draft.pools, localSpace, avoided);
  if (subnet === undefined) return { dropped };
  enterGatewaySubnet(draft, name, subnet);
  return { subnet, dropped };
}

/** Lets go of the gateway subnet of a host that is about to go, or to have another one. */
export function leaveGatewaySubnet(draft: Draft, { name, gatewaySubnet: prefix }: Host): void {
  if (prefix === undefined) return;
  const space = gatewaySpaceOf(name);
  releaseAddress(draft, space, prefix, gatewayAddressOf(prefix));
  leavePool(draft, space, { prefix });
  leavePool(draft, localSpace, { prefix });
}

function enterGatewaySubnet(draft: Draft, name: Host['name'], prefix: Prefix): void {
  const space = gatewaySpaceOf(name);
  joinPool(draft, localSpace, { prefix });
  joinPool(draft, space, { prefix });
  assert(takeAddress(draft, space, prefix, gatewayAddressOf(prefix)), 'nobody has an address of a new pool');
}

function kept(
  draft: Draft,
  name: Host['name'],
  present: Prefix,
  avoided: readonly Prefix[],
): Prefix | undefined {
  const isUsed = gatewaysOfHost(draft, name).next().done !== true;
  return isUsed || !avoided.some((route) => overlaps(route, present)) ? present : undefined;
}

function askedSubnet(what: What, text: string): Prefix {
  const [plan] = planSubnets(`${what()}: of its gateway subnet`, [{ prefix: text, aux: [] }]);
  assert(plan !== undefined, 'one subnet is planned for one');
  refuseUnless(familyOf(plan.prefix) === 4, 'bad-subnet', () => {
    return `${what()}: gateway subnet ${plan.prefix} is not of IPv4; give one such as 10.200.0.0/16`;
  });
  return plan.prefix;
}

/** @throws Refused `pool-overlap` where a bridge network, or another subnet of other hosts, is in the way */
function requireFree(what: What, draft: Draft, name: Host['name'], asked: Prefix): void {
  const other = draft.pools.overlapping(localSpace, 4, boundsOf(asked));
  const isShared = other?.prefix === asked && subnetsOfOthers(draft, name).includes(asked);
  refuseUnless(other === undefined || isShared, 'pool-overlap', () => {
    return `${what()}: gateway subnet ${asked} overlaps ${other?.prefix}, a pool of address space '${localSpace}'; choose another`;
  });
}

function sharedSubnet(draft: Draft, name: Host['name'], avoided: readonly Prefix[]): Prefix | undefined {
  return subnetsOfOthers(draft, name).find((prefix) => !avoided.some((route) => overlaps(route, prefix)));
}

/** In the order of the hosts' names. */
function subnetsOfOthers({ hosts }: Draft, name: Host['name']): readonly Prefix[] {
  const others = [...hosts.values()].filter((host) => host.name !== name);
  return [...new Set(others.flatMap(({ gatewaySubnet }) => gatewaySubnet ?? []))];
}
