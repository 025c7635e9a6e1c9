/** Writes netlink messages one behind the other into one buffer, which is sent as a whole. */
import { assert } from '../../core/lib/assert.ts';
import { littleEndian } from '../native/byte-order.ts';
import type { HeaderField } from './attribute.ts';

const encoder = new TextEncoder();
/** `struct nlmsghdr`: length, type, flags, sequence number, port. */
const messageHeaderBytes = 16;

export class MessageWriter {
  /** What was written is its first `length` bytes. */
  readonly buffer: Uint8Array;
  length = 0;
  readonly #view: DataView;

  constructor(capacityBytes: number) {
    this.buffer = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.buffer.buffer);
  }

  reset(): void {
    this.length = 0;
  }

  /** Begins a message; returns its start, which `end` wants. */
  begin(type: number, flags: number, sequence: number): number {
    const start = this.reserve(messageHeaderBytes);
    this.setNumber(start + 4, 'u16', type);
    this.setNumber(start + 6, 'u16', flags);
    this.setNumber(start + 8, 'u32', sequence);
    return start;
  }

  end(start: number): void {
    this.setNumber(start, 'u32', this.length - start);
    this.align();
  }

  /** Adds flags to the message that begins at `start`. */
  addFlags(start: number, flags: number): void {
    this.setNumber(start + 6, 'u16', this.#view.getUint16(start + 6, littleEndian) | flags);
  }

  /** Appends zeros; returns where they begin. */
  reserve(count: number): number {
    const start = this.length;
    assert(start + count <= this.buffer.length, `a netlink batch is over ${this.buffer.length} bytes`);
    this.buffer.fill(0, start, start + count);
    this.length = start + count;
    return start;
  }

  /** Pads to four bytes, as messages and attributes must. */
  align(): void {
    this.reserve(-this.length & 3);
  }

  setNumber(offset: number, type: HeaderField['type'], value: number): void {
    switch (type) {
      case 'u8':
        this.#view.setUint8(offset, value);
        break;
      case 'u16':
        this.#view.setUint16(offset, value, littleEndian);
        break;
      case 'u32':
        this.#view.setUint32(offset, value, littleEndian);
        break;
      case 's32':
        this.#view.setInt32(offset, value, littleEndian);
        break;
    }
  }

  bytes(values: ArrayLike<number>): void {
    this.buffer.set(values, this.reserve(values.length));
  }

  /** With the terminating zero. */
  text(value: string): void {
    this.bytes(encoder.encode(value));
    this.reserve(1);
  }
}
