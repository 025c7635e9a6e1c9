/** Link-local addresses of an endpoint, which are added to its interface as they are asked for and are in no pool. */
import { quote } from '../lib/quote.ts';
import {
  contains,
  familyOf,
  type InterfaceAddress,
  lengthOf,
  type Prefix,
  parseAddress,
  withLength,
} from '../model/address.ts';
import { refuseUnless, type What } from './refused.ts';

/** RFC 3927 §2.1 and RFC 4291 §2.5.6. */
const ranges: Readonly<Record<4 | 6, Prefix>> = { 4: '169.254.0.0/16' as Prefix, 6: 'fe80::/64' as Prefix };
/** The first and the last 256 are reserved (RFC 3927 §2.1). */
const reserved: readonly Prefix[] = ['169.254.0.0/24' as Prefix, '169.254.255.0/24' as Prefix];

/** At most one of each family, IPv4 first. @throws Refused `bad-address` */
export function linkLocalAddresses(what: What, asked: readonly string[]): readonly InterfaceAddress[] {
  const found = new Map<4 | 6, InterfaceAddress>();
  for (const text of asked) {
    const address = parseAddress(text);
    const family = address === undefined ? undefined : familyOf(address);
    const isFine =
      address !== undefined &&
      family !== undefined &&
      contains(ranges[family], address) &&
      !reserved.some((each) => familyOf(each) === family && contains(each, address)) &&
      address !== 'fe80::';
    refuseUnless(isFine, 'bad-address', () => {
      return `${what()}: ${quote(text)} is no link-local address; give one of 169.254.1.0 to 169.254.254.255, or of fe80::/64`;
    });
    if (address === undefined || family === undefined) continue;
    refuseUnless(!found.has(family), 'bad-address', () => {
      return `${what()}: there are two link-local addresses of IPv${family}; leave one out`;
    });
    found.set(family, withLength(address, lengthOf(ranges[family])));
  }
  return ([4, 6] as const).flatMap((family) => found.get(family) ?? []);
}
