/**
 * Netlink attributes (`struct nlattr`) and fixed headers, described by tables: a table says name, number and type of
 * each attribute of a message, and from it come the encoder, the decoder and the TypeScript type. A new attribute is a
 * new line in `tables/`, never new code.
 *
 * Decoding trusts nothing: lengths are checked before anything is read, attributes that no table names are skipped, and
 * whatever does not add up throws `MalformedMessage`.
 */
import { addressBytes, addressFromBytes, type IpAddress } from '../../core/model/address.ts';
import type { Mac } from '../../core/model/mac.ts';
import { littleEndian } from '../native/byte-order.ts';
import type { MessageWriter } from './writer.ts';

/** Types of values. `u16be` and `u32be` are in network byte order, all others in the machine's. `text` is zero-terminated. */
export type ScalarType = 'u8' | 'u16' | 'u16be' | 'u32' | 'u32be' | 's32' | 'text' | 'mac' | 'ip' | 'bytes';

export interface ScalarLayout<T extends ScalarType = ScalarType> {
  readonly code: number;
  readonly type: T;
}
export interface NestLayout<T extends AttributeTable = AttributeTable> {
  readonly code: number;
  readonly type: 'nest';
  readonly table: T;
}
/** A nest that begins with a fixed header, as VETH_INFO_PEER does. */
export interface MessageNestLayout<
  H extends HeaderTable = HeaderTable,
  T extends AttributeTable = AttributeTable,
> {
  readonly code: number;
  readonly type: 'message';
  readonly header: H;
  readonly table: T;
}
export type AttributeLayout =
  | ScalarLayout
  | { readonly code: number; readonly type: 'nest'; readonly table: AttributeTable }
  | {
      readonly code: number;
      readonly type: 'message';
      readonly header: HeaderTable;
      readonly table: AttributeTable;
    };
export interface AttributeTable {
  readonly [name: string]: AttributeLayout;
}

export interface HeaderTable {
  readonly bytes: number;
  readonly fields: Readonly<Record<string, HeaderField>>;
}
export interface HeaderField {
  readonly offset: number;
  readonly type: 'u8' | 'u16' | 'u32' | 's32';
}

type ScalarValues = {
  u8: number;
  u16: number;
  u16be: number;
  u32: number;
  u32be: number;
  s32: number;
  text: string;
  mac: Mac;
  ip: IpAddress;
  bytes: Uint8Array;
};
export type ValueOf<L> = L extends { type: 'nest'; table: infer T extends AttributeTable }
  ? AttributeValues<T>
  : L extends { type: 'message'; header: infer H extends HeaderTable; table: infer T extends AttributeTable }
    ? { readonly header: HeaderValues<H>; readonly attributes: AttributeValues<T> }
    : L extends { type: infer S extends ScalarType }
      ? ScalarValues[S]
      : never;
export type AttributeValues<T extends AttributeTable> = {
  readonly [K in keyof T]?: ValueOf<T[K]> | undefined;
};
/** Fields that are left out are zero. */
export type HeaderValues<H extends HeaderTable> = { readonly [K in keyof H['fields']]?: number };
export type DecodedHeader<H extends HeaderTable> = { readonly [K in keyof H['fields']]: number };

export const u8 = (code: number): ScalarLayout<'u8'> => ({ code, type: 'u8' });
export const u16 = (code: number): ScalarLayout<'u16'> => ({ code, type: 'u16' });
export const u16be = (code: number): ScalarLayout<'u16be'> => ({ code, type: 'u16be' });
export const u32 = (code: number): ScalarLayout<'u32'> => ({ code, type: 'u32' });
export const u32be = (code: number): ScalarLayout<'u32be'> => ({ code, type: 'u32be' });
export const s32 = (code: number): ScalarLayout<'s32'> => ({ code, type: 's32' });
export const text = (code: number): ScalarLayout<'text'> => ({ code, type: 'text' });
export const mac = (code: number): ScalarLayout<'mac'> => ({ code, type: 'mac' });
export const ip = (code: number): ScalarLayout<'ip'> => ({ code, type: 'ip' });
export const bytes = (code: number): ScalarLayout<'bytes'> => ({ code, type: 'bytes' });
export const nest = <T extends AttributeTable>(code: number, table: T): NestLayout<T> => ({
  code,
  type: 'nest',
  table,
});
export const messageNest = <H extends HeaderTable, T extends AttributeTable>(
  code: number,
  header: H,
  table: T,
): MessageNestLayout<H, T> => ({ code, type: 'message', header, table });

/** What the kernel sent is not what its interface says. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

/** `struct nlattr`: length and type, two bytes each; NLA_F_NESTED and NLA_F_NET_BYTEORDER are the type's top bits. */
const attributeHeaderBytes = 4;
const attributeTypeMask = 0x3fff;
const nestedFlag = 0x8000;

export function writeHeader<H extends HeaderTable>(
  writer: MessageWriter,
  table: H,
  values: HeaderValues<H>,
): void {
  const start = writer.reserve(table.bytes);
  for (const name in values) {
    const field = table.fields[name];
    const value = values[name];
    if (field !== undefined && value !== undefined) writer.setNumber(start + field.offset, field.type, value);
  }
}

export function writeAttributes<T extends AttributeTable>(
  writer: MessageWriter,
  table: T,
  values: AttributeValues<T>,
): void {
  for (const name in values) {
    const layout = table[name];
    const value: unknown = values[name];
    if (layout !== undefined && value !== undefined) writeAttribute(writer, layout, value);
  }
}

/** The value has the type of its layout: `AttributeValues` sees to that, and is lost in this generic walk. */
function writeAttribute(writer: MessageWriter, layout: AttributeLayout, value: unknown): void {
  const start = writer.reserve(attributeHeaderBytes);
  let code = layout.code;
  switch (layout.type) {
    case 'nest':
      code |= nestedFlag;
      writeAttributes(writer, layout.table, value as AttributeValues<AttributeTable>);
      break;
    case 'message': {
      const inner = value as {
        header: HeaderValues<HeaderTable>;
        attributes: AttributeValues<AttributeTable>;
      };
      code |= nestedFlag;
      writeHeader(writer, layout.header, inner.header);
      writeAttributes(writer, layout.table, inner.attributes);
      break;
    }
    default:
      writeScalar(writer, layout.type, value);
  }
  writer.setNumber(start, 'u16', writer.length - start);
  writer.setNumber(start + 2, 'u16', code);
  writer.align();
}

function writeScalar(writer: MessageWriter, type: ScalarType, value: unknown): void {
  switch (type) {
    case 'u8':
      writer.setNumber(writer.reserve(1), 'u8', value as number);
      break;
    case 'u16':
      writer.setNumber(writer.reserve(2), 'u16', value as number);
      break;
    case 'u16be':
      writer.bytes([(value as number) >> 8, (value as number) & 0xff]);
      break;
    case 'u32be': {
      const number = value as number;
      writer.bytes([number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff]);
      break;
    }
    case 'u32':
    case 's32':
      writer.setNumber(writer.reserve(4), type, value as number);
      break;
    case 'text':
      writer.text(value as string);
      break;
    case 'mac':
      writer.bytes(macBytes(value as Mac));
      break;
    case 'ip':
      writer.bytes(ipBytes(value as IpAddress));
      break;
    case 'bytes':
      writer.bytes(value as Uint8Array);
      break;
  }
}

export function readHeader<H extends HeaderTable>(table: H, payload: DataView): DecodedHeader<H> {
  if (payload.byteLength < table.bytes) {
    throw new MalformedMessage(`a header of ${table.bytes} bytes has ${payload.byteLength}`);
  }
  const values: Record<string, number> = {};
  for (const name in table.fields) {
    const field = table.fields[name];
    if (field !== undefined) values[name] = readNumber(payload, field.offset, field.type);
  }
  return values as DecodedHeader<H>;
}

/** Reads the attributes from `offset` to the end. Of an attribute that comes twice, the last counts. */
export function readAttributes<T extends AttributeTable>(
  table: T,
  payload: DataView,
  offset: number,
): AttributeValues<T> {
  const names = namesOf(table);
  const values: Record<string, unknown> = {};
  let at = offset;
  // Trailing padding shorter than a header is allowed, as in the kernel's own `nla_ok`.
  while (at + attributeHeaderBytes <= payload.byteLength) {
    const length = attributeLength(payload, at);
    const name = names.get(readNumber(payload, at + 2, 'u16') & attributeTypeMask);
    const layout = name === undefined ? undefined : table[name];
    if (name !== undefined && layout !== undefined) {
      values[name] = readAttribute(layout, slice(payload, at + attributeHeaderBytes, at + length));
    }
    at += (length + 3) & ~3;
  }
  return values as AttributeValues<T>;
}

/** The values of every attribute of that number, in their order: lists are such attributes. */
export function allAttributes(code: number, payload: DataView): DataView[] {
  const values: DataView[] = [];
  let at = 0;
  while (at + attributeHeaderBytes <= payload.byteLength) {
    const length = attributeLength(payload, at);
    if ((readNumber(payload, at + 2, 'u16') & attributeTypeMask) === code) {
      values.push(slice(payload, at + attributeHeaderBytes, at + length));
    }
    at += (length + 3) & ~3;
  }
  return values;
}

function attributeLength(payload: DataView, at: number): number {
  const length = readNumber(payload, at, 'u16');
  if (length >= attributeHeaderBytes && at + length <= payload.byteLength) return length;
  throw new MalformedMessage(`an attribute says ${length} bytes where ${payload.byteLength - at} are left`);
}

function readAttribute(layout: AttributeLayout, value: DataView): unknown {
  switch (layout.type) {
    case 'nest':
      return readAttributes(layout.table, value, 0);
    case 'message':
      return {
        header: readHeader(layout.header, value),
        attributes: readAttributes(layout.table, value, layout.header.bytes),
      };
    case 'text':
      return readText(value);
    case 'mac':
      return readMac(value);
    case 'ip':
      return readIp(value);
    case 'bytes':
      return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    case 'u16be':
      requireBytes(value, 2);
      return value.getUint16(0, false);
    case 'u32be':
      requireBytes(value, 4);
      return value.getUint32(0, false);
    default:
      return readNumber(value, 0, layout.type);
  }
}

const tableNames = new WeakMap<AttributeTable, ReadonlyMap<number, string>>();

function namesOf(table: AttributeTable): ReadonlyMap<number, string> {
  const known = tableNames.get(table);
  if (known !== undefined) return known;
  const names = new Map(Object.entries(table).map(([name, layout]) => [layout.code, name]));
  tableNames.set(table, names);
  return names;
}

export function slice(view: DataView, start: number, end: number): DataView {
  return new DataView(view.buffer, view.byteOffset + start, end - start);
}

function readNumber(view: DataView, offset: number, type: HeaderField['type']): number {
  requireBytes(view, offset + numberBytes[type]);
  switch (type) {
    case 'u8':
      return view.getUint8(offset);
    case 'u16':
      return view.getUint16(offset, littleEndian);
    case 'u32':
      return view.getUint32(offset, littleEndian);
    case 's32':
      return view.getInt32(offset, littleEndian);
  }
}

const numberBytes = { u8: 1, u16: 2, u32: 4, s32: 4 } as const;

function requireBytes(view: DataView, length: number): void {
  if (view.byteLength < length) {
    throw new MalformedMessage(`a value of ${length} bytes has ${view.byteLength}`);
  }
}

/** Interface names and aliases are bytes to the kernel; what is no UTF-8 decodes to replacement characters. */
const decoder = new TextDecoder();

function readText(value: DataView): string {
  const raw = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  const end = raw.indexOf(0);
  return decoder.decode(end < 0 ? raw : raw.subarray(0, end));
}

const hex: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Undefined for link-layer addresses that are no MAC: tunnels have 4 or 16 bytes. */
function readMac(value: DataView): Mac | undefined {
  if (value.byteLength !== 6) return undefined;
  let out = hex[value.getUint8(0)] ?? '';
  for (let at = 1; at < 6; at++) out += `:${hex[value.getUint8(at)] ?? ''}`;
  return out as Mac;
}

function macBytes(value: Mac): number[] {
  return [0, 3, 6, 9, 12, 15].map((at) => Number.parseInt(value.slice(at, at + 2), 16));
}

/** IPv4 by hand, because a dump has tens of thousands; IPv6 through the model. */
function readIp(value: DataView): IpAddress {
  if (value.byteLength === 4) {
    return `${value.getUint8(0)}.${value.getUint8(1)}.${value.getUint8(2)}.${value.getUint8(3)}` as IpAddress;
  }
  if (value.byteLength !== 16) throw new MalformedMessage(`an address has ${value.byteLength} bytes`);
  return addressFromBytes([...new Uint8Array(value.buffer, value.byteOffset, 16)]);
}

function ipBytes(value: IpAddress): number[] {
  return value.includes(':') ? addressBytes(value) : value.split('.').map(Number);
}
