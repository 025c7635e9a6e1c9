/**
 * Writes fields as bytes so that equal fields give equal bytes and different ones different bytes: fixed order, fixed
 * widths, and a length before everything that has one. What is hashed goes through here, never through JSON.
 */
import { writeUtf8 } from './utf8.ts';

/** Whole numbers up to 2^53 in eight bytes, big endian. */
const integerBytes = 8;
const lengthBytes = 4;

export class CanonicalBytes {
  #bytes: Uint8Array;
  #end = 0;

  constructor(capacityBytes = 512) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  /** Begins again with nothing written; keeps the buffer. */
  reset(): this {
    this.#end = 0;
    return this;
  }

  /** What was written, valid until the next write or reset. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  text(value: string): this {
    this.#reserve(lengthBytes + value.length * 3);
    const start = this.#end + lengthBytes;
    const end = writeUtf8(value, this.#bytes, start);
    this.#putLength(end - start);
    this.#end = end;
    return this;
  }

  /** A whole number from 0 to 2^53 - 1. */
  integer(value: number): this {
    this.#reserve(integerBytes);
    this.#put32(this.#end, Math.floor(value / 2 ** 32));
    this.#put32(this.#end + 4, value % 2 ** 32);
    this.#end += integerBytes;
    return this;
  }

  /** A whole number of any size, not negative. */
  bigint(value: bigint): this {
    return this.text(value.toString(16));
  }

  flag(value: boolean): this {
    this.#reserve(1);
    this.#bytes[this.#end++] = value ? 1 : 0;
    return this;
  }

  /** A text that may be absent: absent and empty differ. */
  optionalText(value: string | undefined): this {
    this.flag(value !== undefined);
    return value === undefined ? this : this.text(value);
  }

  /** How many items follow, then the items. */
  list<T>(items: readonly T[], write: (out: this, item: T) => void): this {
    this.#reserve(lengthBytes);
    this.#putLength(items.length);
    this.#end += lengthBytes;
    for (const item of items) write(this, item);
    return this;
  }

  /** At the present end, which does not move. */
  #putLength(length: number): void {
    this.#put32(this.#end, length);
  }

  #put32(at: number, value: number): void {
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
  }

  #reserve(more: number): void {
    if (this.#end + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#end + more, this.#bytes.length * 2));
    grown.set(this.bytes);
    this.#bytes = grown;
  }
}
