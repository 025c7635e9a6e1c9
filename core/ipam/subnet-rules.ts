/** Which prefixes may be subnets, and which of their addresses nobody may have. */

import { assert } from '../lib/assert.ts';
import {
  boundsOf,
  type Family,
  familyOf,
  lengthOf,
  overlaps,
  type Prefix,
  parsePrefix,
  widthOf,
} from '../model/address.ts';
import type { Range } from './range-set.ts';

/** Ranges with a meaning of their own (RFC 6890, RFC 4291 §2.4): a subnet in one of them could not be routed or reached. */
const unusable: readonly (readonly [Prefix, string])[] = [
  [prefix('0.0.0.0/8'), 'means this network'],
  [prefix('127.0.0.0/8'), 'is loopback'],
  [prefix('169.254.0.0/16'), 'is link-local'],
  [prefix('224.0.0.0/4'), 'is multicast'],
  [prefix('::/8'), 'holds loopback and mapped IPv4'],
  [prefix('fe80::/10'), 'is link-local'],
  [prefix('ff00::/8'), 'is multicast'],
];

/** Why a prefix cannot be a subnet, as the second half of a sentence; undefined when it can. */
export function subnetFault(subnet: Prefix): string | undefined {
  if (lengthOf(subnet) === 0) return 'it is every address there is';
  const special = unusable.find(([range]) => familyOf(range) === familyOf(subnet) && overlaps(range, subnet));
  if (special !== undefined) return `${special[0]} ${special[1]}`;
  const widest = widthOf(familyOf(subnet));
  return lengthOf(subnet) === widest
    ? `it has one address, and a gateway and an endpoint need two (/${widest - 1})`
    : undefined;
}

/**
 * Addresses of a subnet that are never given to anyone: in IPv4 the network and the broadcast address, in IPv6 the
 * subnet-router anycast address (RFC 4291 §2.6.1). None in subnets of one or two addresses (RFC 3021, RFC 6164).
 */
export function reservedRanges(subnet: Prefix): readonly Range[] {
  const family: Family = familyOf(subnet);
  if (widthOf(family) - lengthOf(subnet) < 2) return [];
  const { first, last } = boundsOf(subnet);
  const network = { first, last: first };
  return family === 4 ? [network, { first: last, last }] : [network];
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  assert('prefix' in parsed, `${text} is a prefix`);
  return parsed.prefix;
}
