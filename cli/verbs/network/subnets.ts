/**
 * Pairs gateways, ranges and auxiliary addresses with the subnets that contain them, as Docker's CLI does. What lies in
 * no subnet goes with the first one of its family, so that the refusal comes from where all refusals come from.
 */
import {
  contains,
  containsPrefix,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '../../../core/model/address.ts';
import { parsePairs, UsageError } from '../../usage.ts';

export interface SubnetOptions {
  readonly subnet?: readonly string[];
  readonly gateway?: readonly string[];
  readonly ipRange?: readonly string[];
  readonly auxAddress?: readonly string[];
}

interface SubnetBody {
  prefix: string;
  gateway?: string;
  range?: string;
  aux: Record<string, string>;
}

/** @throws UsageError where there is no subnet to pair with, or two of one kind for one subnet */
export function pairSubnets(options: SubnetOptions): SubnetBody[] {
  const subnets = (options.subnet ?? []).map((prefix): SubnetBody => ({ prefix, aux: {} }));
  for (const gateway of options.gateway ?? []) {
    const subnet = subnetFor(subnets, '--gateway', gateway, holdsAddress);
    if (subnet.gateway !== undefined) throw twice('--gateway', subnet);
    subnet.gateway = gateway;
  }
  for (const range of options.ipRange ?? []) {
    const subnet = subnetFor(subnets, '--ip-range', range, holdsPrefix);
    if (subnet.range !== undefined) throw twice('--ip-range', subnet);
    subnet.range = range;
  }
  for (const [name, address] of Object.entries(parsePairs('--aux-address', options.auxAddress ?? []))) {
    if (address === '')
      throw new UsageError('--aux-address needs a name and an address: write --aux-address name=ip');
    const subnet = subnetFor(subnets, '--aux-address', address, holdsAddress);
    subnet.aux = { ...subnet.aux, [name]: address };
  }
  return subnets;
}

function subnetFor(
  subnets: readonly SubnetBody[],
  option: string,
  text: string,
  holds: (prefix: Prefix, text: string) => boolean,
): SubnetBody {
  const containing = subnets.find((subnet) => {
    const parsed = parsePrefix(subnet.prefix);
    return 'prefix' in parsed && holds(parsed.prefix, text);
  });
  const ofFamily = subnets.find((subnet) => subnet.prefix.includes(':') === text.includes(':'));
  const chosen = containing ?? ofFamily ?? subnets[0];
  if (chosen === undefined) throw new UsageError(`${option} needs a --subnet that contains it: give both`);
  return chosen;
}

function holdsAddress(prefix: Prefix, text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && contains(prefix, address);
}

function holdsPrefix(prefix: Prefix, text: string): boolean {
  const parsed = parsePrefix(text);
  return 'prefix' in parsed && containsPrefix(prefix, parsed.prefix);
}

function twice(option: string, subnet: SubnetBody): UsageError {
  return new UsageError(`two of ${option} belong to the subnet ${subnet.prefix}: give one for each --subnet`);
}
