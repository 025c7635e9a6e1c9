/**
 * A hash of a set that is kept up as members come and go: the sum of their digests modulo 2^256. Independent of the
 * order in which the set came about. Finds replicas that parted by a defect; it is no defence against somebody who can
 * choose members at will (sums can be made to collide with enough of them).
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

import { Digester, digestBytes } from './digest.ts';

/** Shared: a digest is summed up before the next is made, and nothing here is asynchronous. */
const digester = new Digester();

export class SetHash {
  /** Big endian. */
  readonly #sum: Uint8Array;

  private constructor(sum: Uint8Array) {
    this.#sum = sum;
  }

  /** The hash of the empty set. */
  static empty(): SetHash {
    return new SetHash(new Uint8Array(digestBytes));
  }

  /** The hash of the set of one member. */
  static of(member: Uint8Array): SetHash {
    return new SetHash(digester.digest(member).slice());
  }

  /** Goes on from what `hex` gave. */
  static fromHex(hex: string): SetHash {
    return new SetHash(hexToBytes(hex));
  }

  /** @param member its canonical bytes */
  add(member: Uint8Array): void {
    this.#plus(digester.digest(member));
  }

  /** @param member the canonical bytes of one that was added */
  remove(member: Uint8Array): void {
    this.#minus(digester.digest(member));
  }

  /** Adds all members of another set. */
  addAll(other: SetHash): void {
    this.#plus(other.#sum);
  }

  /** Takes out all members of another set, which were added. */
  removeAll(other: SetHash): void {
    this.#minus(other.#sum);
  }

  #plus(value: Uint8Array): void {
    let carry = 0;
    for (let index = digestBytes - 1; index >= 0; index -= 1) {
      const sum = byteAt(this.#sum, index) + byteAt(value, index) + carry;
      this.#sum[index] = sum;
      carry = sum >> 8;
    }
  }

  #minus(value: Uint8Array): void {
    let borrow = 0;
    for (let index = digestBytes - 1; index >= 0; index -= 1) {
      const difference = byteAt(this.#sum, index) - byteAt(value, index) - borrow;
      this.#sum[index] = difference;
      borrow = difference < 0 ? 1 : 0;
    }
  }

  /** 64 hexadecimal digits. */
  get hex(): string {
    return bytesToHex(this.#sum);
  }
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
