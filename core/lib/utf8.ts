/**
 * UTF-8, strictly: what is not well formed is refused instead of replaced, so that two different byte strings are never
 * read as one text. Written out because core sees no platform library; the well-formed sequences are those of RFC 3629 §4.
 */

/** How many code units `String.fromCharCode` is given at a time: its arguments go on the stack. */
const chunkUnits = 4096;

/** The text of the bytes; undefined when they are not well-formed UTF-8. A byte order mark is a character like any other. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const first = byteAt(bytes, at);
    if (first < 0x80) {
      const end = asciiEnd(bytes, at);
      text += asciiText(bytes, at, end);
      at = end;
      continue;
    }
    const length = sequenceLength(first);
    const point = length === 0 ? undefined : codePointAt(bytes, at, length);
    if (point === undefined) return undefined;
    text += String.fromCodePoint(point);
    at += length;
  }
  return text;
}

/** The bytes of a text without lone surrogates (which have no UTF-8 form and are not checked for here). */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  return bytes.slice(0, writeUtf8(text, bytes, 0));
}

/** Writes a text at an offset of a buffer that has room for three bytes per code unit; returns the offset after it. */
export function writeUtf8(text: string, bytes: Uint8Array, offset: number): number {
  let at = offset;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      bytes[at++] = unit;
      continue;
    }
    const point = text.codePointAt(index) ?? unit;
    if (point > 0xffff) index += 1;
    at = writePoint(point, bytes, at);
  }
  return at;
}

function writePoint(point: number, bytes: Uint8Array, offset: number): number {
  let at = offset;
  if (point < 0x800) {
    bytes[at++] = 0xc0 | (point >> 6);
  } else if (point < 0x10000) {
    bytes[at++] = 0xe0 | (point >> 12);
    bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
  } else {
    bytes[at++] = 0xf0 | (point >> 18);
    bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
    bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
  }
  bytes[at++] = 0x80 | (point & 0x3f);
  return at;
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

/** By the first byte; 0 for one that begins no sequence. C0 and C1 could only be overlong, F5 and up lie beyond Unicode. */
function sequenceLength(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

function codePointAt(bytes: Uint8Array, at: number, length: number): number | undefined {
  let point = byteAt(bytes, at) & (0x7f >> length);
  for (let index = 1; index < length; index += 1) {
    const next = byteAt(bytes, at + index);
    if ((next & 0xc0) !== 0x80) return undefined;
    point = (point << 6) | (next & 0x3f);
  }
  const overlong = point < (length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000);
  const surrogate = point >= 0xd800 && point <= 0xdfff;
  return overlong || surrogate || point > 0x10ffff ? undefined : point;
}

/** Where the run of ASCII bytes from an offset ends. */
function asciiEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && byteAt(bytes, at) < 0x80) at += 1;
  return at;
}

/** By large pieces, because a text put together from small ones is put together again by whatever reads it first. */
function asciiText(bytes: Uint8Array, from: number, end: number): string {
  let text = '';
  for (let at = from; at < end; at += chunkUnits) {
    text += Reflect.apply(String.fromCharCode, undefined, bytes.subarray(at, Math.min(at + chunkUnits, end)));
  }
  return text;
}
