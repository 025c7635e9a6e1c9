/** Keys and values of set elements, from texts to the kernel's bytes and back. */
import { type NftType } from '../../core/dataplane/firewall.ts';
import { unreachable } from '../../core/lib/assert.ts';
import { addressBytes, addressFromBytes, type IpAddress } from '../../core/model/address.ts';
import { MalformedMessage } from '../netlink/attribute.ts';
import { protocolNumbers } from '../protocols.ts';

const fieldBytes: Readonly<Record<NftType, number>> = {
  ifname: 16,
  nf_proto: 1,
  ipv4_addr: 4,
  ipv6_addr: 16,
  inet_proto: 1,
  inet_service: 2,
  '@th,96,24': 3,
};

const protocols: Readonly<Record<string, number>> = protocolNumbers;

/** Families of packets: NFPROTO_*. */
const families: Readonly<Record<string, number>> = { ipv4: 2, ipv6: 10 };

/** In a concatenation each field is padded to a multiple of four bytes; alone it is as it is. */
function placeBytes(type: NftType, isConcatenated: boolean): number {
  const length = fieldBytes[type];
  return isConcatenated ? (length + 3) & ~3 : length;
}

export function encodeFields(types: readonly NftType[], fields: readonly string[]): Uint8Array {
  const places = types.map((type) => placeBytes(type, types.length > 1));
  const bytes = new Uint8Array(places.reduce((sum, length) => sum + length, 0));
  let at = 0;
  types.forEach((type, index) => {
    bytes.set(encodeField(type, fields[index] ?? ''), at);
    at += places[index] ?? 0;
  });
  return bytes;
}

/** @throws MalformedMessage when the bytes are not as long as the fields */
export function decodeFields(types: readonly NftType[], bytes: Uint8Array): string[] {
  const places = types.map((type) => placeBytes(type, types.length > 1));
  const length = places.reduce((sum, each) => sum + each, 0);
  if (bytes.length !== length)
    throw new MalformedMessage(`${length} bytes of a set element are ${bytes.length}`);
  let at = 0;
  return types.map((type, index) => {
    const field = decodeField(type, bytes.subarray(at, at + fieldBytes[type]));
    at += places[index] ?? 0;
    return field;
  });
}

function encodeField(type: NftType, field: string): ArrayLike<number> {
  switch (type) {
    case 'ifname':
      return new TextEncoder().encode(field).subarray(0, fieldBytes.ifname - 1);
    case 'ipv4_addr':
    case 'ipv6_addr':
      return addressBytes(field as IpAddress);
    case 'nf_proto':
      return [families[field] ?? 0];
    case 'inet_proto':
      return [protocols[field] ?? 0];
    case 'inet_service':
      return [Number(field) >> 8, Number(field) & 0xff];
    case '@th,96,24':
      return [Number(field) >> 16, (Number(field) >> 8) & 0xff, Number(field) & 0xff];
    default:
      return unreachable(type);
  }
}

function decodeField(type: NftType, bytes: Uint8Array): string {
  switch (type) {
    case 'ifname': {
      const end = bytes.indexOf(0);
      return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
    }
    case 'ipv4_addr':
    case 'ipv6_addr':
      return addressFromBytes([...bytes]);
    case 'nf_proto':
      return nameOf(families, bytes[0]);
    case 'inet_proto':
      return nameOf(protocols, bytes[0]);
    case 'inet_service':
      return String(((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0));
    case '@th,96,24':
      return String(((bytes[0] ?? 0) << 16) | ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0));
    default:
      return unreachable(type);
  }
}

function nameOf(numbers: Readonly<Record<string, number>>, number: number | undefined): string {
  return Object.keys(numbers).find((name) => numbers[name] === number) ?? String(number);
}
