/**
 * IP addresses and prefixes, parsed once at the border and canonical from then on.
 *
 * Both families are one code path: an address is its canonical text (RFC 5952 for IPv6), which compares, hashes and
 * prints as it is; arithmetic goes through `bigint`. Parsing and formatting are ipaddr.js'; what it accepts beyond the
 * usual text forms (octal, two-part IPv4, zone ids, v4-mapped IPv6) is refused here.
 */
import ipaddr from 'ipaddr.js';

declare const brand: unique symbol;

/** Canonical text of one address: `10.0.1.2`, `fd00::2`. */
export type IpAddress = string & { readonly [brand]: 'IpAddress' };
/** Canonical text of a network: `10.0.1.0/24`. Its host bits are zero. */
export type Prefix = string & { readonly [brand]: 'Prefix' };
/** An address with the length of its subnet: `10.0.1.2/24`. */
export type InterfaceAddress = string & { readonly [brand]: 'InterfaceAddress' };

export type Family = 4 | 6;

/** Four decimal numbers up to 255 without leading zeros: the canonical text itself, so most addresses need no parsing. */
const octet = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

const dot = 0x2e;
const zero = 0x30;

export function familyOf(address: IpAddress | Prefix | InterfaceAddress): Family {
  return address.includes(':') ? 6 : 4;
}

/** 32 or 128. */
export function widthOf(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** Parses `10.0.1.2` or `fd00::2`; undefined for anything else, zone ids and IPv4 in IPv6 (RFC 4291 §2.5.5) included. */
export function parseAddress(text: string): IpAddress | undefined {
  if (ipv4.test(text)) return text as IpAddress;
  if (text.includes('%') || !text.includes(':') || !ipaddr.IPv6.isValid(text)) return undefined;
  // The library takes octal and hexadecimal numbers in an IPv4 address at the end.
  const tail = text.slice(text.lastIndexOf(':') + 1);
  if (tail.includes('.') && !ipv4.test(tail)) return undefined;
  const parsed = ipaddr.IPv6.parse(text);
  return parsed.isIPv4MappedAddress() ? undefined : (parsed.toRFC5952String() as IpAddress);
}

export function addressToBigInt(address: IpAddress): bigint {
  if (familyOf(address) === 4)
    return BigInt(addressBytes(address).reduce((sum, byte) => sum * 256 + byte, 0));
  let value = 0n;
  for (const byte of addressBytes(address)) value = (value << 8n) | BigInt(byte);
  return value;
}

export function addressFromBigInt(value: bigint, family: Family): IpAddress {
  if (family === 4) {
    const number = Number(value);
    const bytes = [number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff];
    return bytes.join('.') as IpAddress;
  }
  const bytes: number[] = [];
  for (let shift = widthOf(family) - 8; shift >= 0; shift -= 8)
    bytes.push(Number((value >> BigInt(shift)) & 0xffn));
  return addressFromBytes(bytes);
}

/** Network byte order: 4 or 16 bytes. */
export function addressBytes(address: IpAddress): number[] {
  if (familyOf(address) === 6) return ipaddr.parse(address).toByteArray();
  const bytes = [0, 0, 0, 0];
  let at = 0;
  for (let index = 0; index < address.length; index += 1) {
    const code = address.charCodeAt(index);
    if (code === dot) at += 1;
    else bytes[at] = (bytes[at] ?? 0) * 10 + code - zero;
  }
  return bytes;
}

/** @throws Error when there are not 4 or 16 bytes. */
export function addressFromBytes(bytes: readonly number[]): IpAddress {
  const parsed = ipaddr.fromByteArray([...bytes]);
  return (parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString()) as IpAddress;
}

/** What is wrong with the text of a prefix: not CIDR at all, or a network with bits set in its host part. */
export type PrefixFault = 'malformed' | 'host-bits';

/** Parses `10.0.1.0/24`; tells a malformed text from a prefix with host bits, because users mistake the two. */
export function parsePrefix(text: string): { prefix: Prefix } | { fault: PrefixFault } {
  const parsed = parseInterfaceAddress(text);
  if (parsed === undefined) return { fault: 'malformed' };
  const prefix = prefixOf(parsed);
  return addressOf(parsed) === addressOf(prefix) ? { prefix } : { fault: 'host-bits' };
}

/** Those of the texts that are prefixes. */
export function prefixesAmong(texts: readonly string[]): readonly Prefix[] {
  return texts.flatMap((text) => {
    const parsed = parsePrefix(text);
    return 'prefix' in parsed ? [parsed.prefix] : [];
  });
}

/** Parses `10.0.1.2/24`, host bits allowed. */
export function parseInterfaceAddress(text: string): InterfaceAddress | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(lengthText)) return undefined;
  const length = Number(lengthText);
  return length <= widthOf(familyOf(address)) ? (`${address}/${length}` as InterfaceAddress) : undefined;
}

export function withLength(address: IpAddress, length: number): InterfaceAddress {
  return `${address}/${length}` as InterfaceAddress;
}

/** The address part of a prefix or an interface address. */
export function addressOf(value: Prefix | InterfaceAddress): IpAddress {
  return value.slice(0, value.indexOf('/')) as IpAddress;
}

export function lengthOf(value: Prefix | InterfaceAddress): number {
  return Number(value.slice(value.indexOf('/') + 1));
}

/** The network that an interface address lies in. */
export function prefixOf(value: InterfaceAddress): Prefix {
  const family = familyOf(value);
  const hostBits = BigInt(widthOf(family) - lengthOf(value));
  const network = (addressToBigInt(addressOf(value)) >> hostBits) << hostBits;
  return `${addressFromBigInt(network, family)}/${lengthOf(value)}` as Prefix;
}

/** First and last address of a prefix as numbers, both inclusive. */
export function boundsOf(prefix: Prefix): { first: bigint; last: bigint } {
  const first = addressToBigInt(addressOf(prefix));
  const hostBits = BigInt(widthOf(familyOf(prefix)) - lengthOf(prefix));
  return { first, last: first | ((1n << hostBits) - 1n) };
}

export function contains(prefix: Prefix, address: IpAddress): boolean {
  if (familyOf(prefix) !== familyOf(address)) return false;
  const { first, last } = boundsOf(prefix);
  const value = addressToBigInt(address);
  return first <= value && value <= last;
}

/** True when every address of `inner` lies in `outer`. */
export function containsPrefix(outer: Prefix, inner: Prefix): boolean {
  return lengthOf(inner) >= lengthOf(outer) && contains(outer, addressOf(inner));
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return containsPrefix(a, b) || containsPrefix(b, a);
}
