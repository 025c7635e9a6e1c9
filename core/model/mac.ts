/** MAC addresses: canonical text, and how Docker derives one from an address. */
import { addressBytes, familyOf, type IpAddress } from './address.ts';

declare const brand: unique symbol;

/** Lower-case colon form: `02:42:0a:00:01:02`. */
export type Mac = string & { readonly [brand]: 'Mac' };

/** Parses colon or hyphen form in any case; undefined for anything else. */
export function parseMac(text: string): Mac | undefined {
  if (!/^[0-9a-f]{2}(([:-])[0-9a-f]{2})(\2[0-9a-f]{2}){4}$/i.test(text)) return undefined;
  return text.toLowerCase().replaceAll('-', ':') as Mac;
}

/** True for an address that an interface may have: individual (IEEE 802 I/G bit 0) and not all zero. */
export function isUnicastMac(mac: Mac): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 && mac !== '00:00:00:00:00:00';
}

/** `02:42` and the IPv4 address in hexadecimal, as Docker derives it: 10.0.1.2 gives 02:42:0a:00:01:02. */
export function macOfAddress(address: IpAddress): Mac | undefined {
  return familyOf(address) === 4 ? macFromBytes([0x02, 0x42, ...addressBytes(address)]) : undefined;
}

/** Six bytes to text. */
export function macFromBytes(bytes: readonly number[]): Mac {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':') as Mac;
}
