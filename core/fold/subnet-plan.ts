/** The subnets that a request asks for, judged by themselves: nothing here depends on what else exists. */
import { holds } from '../ipam/pool.ts';
import { reservedRanges, subnetFault } from '../ipam/subnet-rules.ts';
import { quote } from '../lib/quote.ts';
import type { BodyOf } from '../log/record.ts';
import {
  addressToBigInt,
  contains,
  containsPrefix,
  familyOf,
  type IpAddress,
  overlaps,
  type Prefix,
  parseAddress,
  parseInterfaceAddress,
  parsePrefix,
  prefixOf,
} from '../model/address.ts';
import { isName, nameRule } from '../model/names.ts';
import type { AuxAddress } from '../model/network.ts';
import { Refused, refuseUnless } from './refused.ts';

type SubnetBody = BodyOf<'network-create'>['subnets'][number];

export interface SubnetPlan {
  readonly prefix: Prefix;
  /** Absent: the next free address. */
  readonly gateway?: IpAddress;
  readonly range?: Prefix;
  readonly aux: readonly AuxAddress[];
}

/**
 * IPv4 subnets first, each family in the order asked for.
 *
 * @param what begins every refusal
 * @throws Refused `bad-subnet`, `bad-gateway`, `bad-range`, `bad-aux-address`
 */
export function planSubnets(what: string, bodies: readonly SubnetBody[]): readonly SubnetPlan[] {
  const plans: SubnetPlan[] = [];
  for (const body of bodies) {
    const plan = planSubnet(what, body);
    const other = plans.find((earlier) => overlaps(earlier.prefix, plan.prefix));
    refuseUnless(other === undefined, 'bad-subnet', () => {
      return `${what}: its subnets ${other?.prefix} and ${plan.prefix} overlap; leave one out`;
    });
    plans.push(plan);
  }
  const ofFamily = (family: number) => plans.filter((plan) => familyOf(plan.prefix) === family);
  return [...ofFamily(4), ...ofFamily(6)];
}

function planSubnet(what: string, body: SubnetBody): SubnetPlan {
  const prefix = checkPrefix(what, 'bad-subnet', 'subnet', body.prefix);
  const fault = subnetFault(prefix);
  refuseUnless(
    fault === undefined,
    'bad-subnet',
    () => `${what}: ${prefix} cannot be a subnet: ${fault}; choose another`,
  );
  const gateway = body.gateway === undefined ? undefined : checkGateway(what, prefix, body.gateway);
  const range = body.range === undefined ? undefined : checkRange(what, prefix, body.range);
  const aux = checkAux(what, prefix, gateway, body.aux);
  return {
    prefix,
    ...(gateway === undefined ? {} : { gateway }),
    ...(range === undefined ? {} : { range }),
    aux,
  };
}

function checkPrefix(what: string, code: 'bad-subnet' | 'bad-range', noun: string, text: string): Prefix {
  const parsed = parsePrefix(text);
  if ('prefix' in parsed) return parsed.prefix;
  const meant = parsed.fault === 'host-bits' ? parseInterfaceAddress(text) : undefined;
  const fault = meant === undefined ? 'is no CIDR prefix' : 'has bits set in its host part';
  const advice =
    meant === undefined ? 'write it like 10.0.1.0/24 or fd00:1::/64' : `did you mean ${prefixOf(meant)}?`;
  throw new Refused(code, `${what}: ${noun} ${quote(text)} ${fault}; ${advice}`);
}

function checkGateway(what: string, prefix: Prefix, text: string): IpAddress {
  const gateway = parseAddress(text);
  refuseUnless(
    gateway !== undefined,
    'bad-gateway',
    () => `${what}: gateway ${quote(text)} is no address; choose one in ${prefix}`,
  );
  refuseUnless(contains(prefix, gateway), 'bad-gateway', () => {
    return `${what}: gateway ${gateway} is outside its subnet ${prefix}; choose one inside`;
  });
  refuseUnless(!isReserved(prefix, gateway), 'bad-gateway', () => {
    return `${what}: ${gateway} is the network or broadcast address of ${prefix}; choose another gateway`;
  });
  return gateway;
}

function checkRange(what: string, prefix: Prefix, text: string): Prefix {
  const range = checkPrefix(what, 'bad-range', 'range', text);
  refuseUnless(containsPrefix(prefix, range), 'bad-range', () => {
    return `${what}: range ${range} is not inside its subnet ${prefix}; choose one inside`;
  });
  return range;
}

function checkAux(
  what: string,
  prefix: Prefix,
  gateway: IpAddress | undefined,
  pairs: SubnetBody['aux'],
): readonly AuxAddress[] {
  const aux: AuxAddress[] = [];
  for (const [name, text] of pairs) {
    const of = `${what}: auxiliary address ${quote(name)}`;
    refuseUnless(isName(name), 'bad-aux-address', () => `${of} has no proper name: ${nameRule}`);
    const address = parseAddress(text);
    refuseUnless(address !== undefined && contains(prefix, address), 'bad-aux-address', () => {
      return `${of} is ${quote(text)}, which is not in ${prefix}; choose one inside`;
    });
    refuseUnless(!isReserved(prefix, address) && address !== gateway, 'bad-aux-address', () => {
      return `${of} is ${address}, the gateway, network or broadcast address of ${prefix}; choose another`;
    });
    const twin = aux.find((earlier) => earlier.name === name || earlier.address === address);
    refuseUnless(twin === undefined, 'bad-aux-address', () => {
      return `${of} repeats ${quote(twin?.name ?? '')} (${twin?.address}); leave one out`;
    });
    aux.push({ name, address });
  }
  return aux;
}

/** True for an address of the subnet that is never given to anyone. */
export function isReserved(prefix: Prefix, address: IpAddress): boolean {
  const value = addressToBigInt(address);
  return reservedRanges(prefix).some((range) => holds(range, value));
}
