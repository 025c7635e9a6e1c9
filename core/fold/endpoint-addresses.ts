/** The addresses of an endpoint: one of each family that its network has, asked for or the next free one. */
import { assert } from '../lib/assert.ts';
import { quote } from '../lib/quote.ts';
import type { BodyOf } from '../log/record.ts';
import {
  addressFromBigInt,
  addressOf,
  contains,
  type Family,
  familyOf,
  type InterfaceAddress,
  lengthOf,
  parseAddress,
  withLength,
} from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { nameKey } from '../model/names.ts';
import type { Network, Subnet } from '../model/network.ts';
import { releaseAddress, takeAddress, takeNextAddress } from './allocation.ts';
import type { Draft } from './draft.ts';
import { refuseUnless, type What } from './refused.ts';
import { isReserved } from './subnet-plan.ts';

/**
 * IPv4 first. None for a family that the network has no subnet of.
 *
 * @param what the beginning of every refusal
 * @throws Refused `bad-address`, `address-taken`, `pool-exhausted`
 */
export function allocateAddresses(
  what: What,
  draft: Draft,
  network: Network,
  asked: Pick<BodyOf<'endpoint-create'>, 'ipv4' | 'ipv6'>,
): readonly InterfaceAddress[] {
  const ipv4 = allocateOfFamily(what, draft, network, 4, asked.ipv4);
  const ipv6 = allocateOfFamily(what, draft, network, 6, asked.ipv6);
  return [...(ipv4 === undefined ? [] : [ipv4]), ...(ipv6 === undefined ? [] : [ipv6])];
}

export function releaseAddresses(draft: Draft, network: Network, endpoint: Endpoint): void {
  for (const value of endpoint.addresses) {
    const address = addressOf(value);
    const subnet = network.subnets.find((each) => contains(each.prefix, address));
    assert(subnet !== undefined, 'the address of an endpoint is in a subnet of its network');
    releaseAddress(draft, nameKey(network.space), subnet.prefix, address);
  }
}

function allocateOfFamily(
  what: What,
  draft: Draft,
  network: Network,
  family: Family,
  asked: string | undefined,
): InterfaceAddress | undefined {
  const subnets = network.subnets.filter((subnet) => familyOf(subnet.prefix) === family);
  if (asked !== undefined) return takeAsked(what, draft, network, subnets, family, asked);
  for (const subnet of subnets) {
    const value = takeNextAddress(draft, nameKey(network.space), subnet);
    if (value !== undefined) return withLength(addressFromBigInt(value, family), lengthOf(subnet.prefix));
  }
  refuseUnless(subnets.length === 0, 'pool-exhausted', () => {
    return `${what()}: ${placesOf(subnets)} has no free IPv${family} address; remove endpoints or make a network with another subnet`;
  });
  return undefined;
}

function takeAsked(
  what: What,
  draft: Draft,
  network: Network,
  subnets: readonly Subnet[],
  family: Family,
  asked: string,
): InterfaceAddress {
  const address = parseAddress(asked);
  refuseUnless(address !== undefined && familyOf(address) === family, 'bad-address', () => {
    return `${what()}: ${quote(asked)} is no IPv${family} address; write one such as ${family === 4 ? '10.0.1.9' : 'fd00:1::9'}`;
  });
  const subnet = subnets.find((each) => contains(each.prefix, address));
  refuseUnless(subnet !== undefined, 'bad-address', () => {
    const places =
      subnets.length === 0 ? `the network has no IPv${family} subnet` : `choose one in ${placesOf(subnets)}`;
    return `${what()}: ${address} is in no subnet of the network; ${places}`;
  });
  refuseUnless(takeAddress(draft, nameKey(network.space), subnet.prefix, address), 'address-taken', () => {
    const holder = address === subnet.gateway ? "is the network's gateway" : holderOf(subnet, address);
    return `${what()}: ${address} ${holder}; choose another, or leave it out for the next free one`;
  });
  return withLength(address, lengthOf(subnet.prefix));
}

function holderOf(subnet: Subnet, address: NonNullable<ReturnType<typeof parseAddress>>): string {
  const aux = subnet.aux.find((each) => each.address === address);
  if (aux !== undefined) return `is reserved as ${quote(aux.name)}`;
  return isReserved(subnet.prefix, address)
    ? `is reserved in ${subnet.prefix}`
    : `is in use in ${subnet.prefix}`;
}

function placesOf(subnets: readonly Subnet[]): string {
  return subnets.map((subnet) => subnet.range ?? subnet.prefix).join(', ');
}
