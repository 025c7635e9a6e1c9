/**
 * A hash of a set that is kept up as members come and go: the sum of their digests modulo 2^256. Independent of the
 * order in which the set came about. Finds replicas that parted by a defect; it is no defence against somebody who can
 * choose members at will (sums can be made to collide with enough of them).
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

export const setHashBytes = 32;

export class SetHash {
  /** Big endian. */
  readonly #sum: Uint8Array;

  private constructor(sum: Uint8Array) {
    this.#sum = sum;
  }

  /** The hash of the empty set. */
  static empty(): SetHash {
    return new SetHash(new Uint8Array(setHashBytes));
  }

  /** Goes on from what `hex` gave. */
  static fromHex(hex: string): SetHash {
    return new SetHash(hexToBytes(hex));
  }

  /** @param member its canonical bytes */
  add(member: Uint8Array): void {
    const digest = sha256(member);
    let carry = 0;
    for (let index = setHashBytes - 1; index >= 0; index -= 1) {
      const value = byteAt(this.#sum, index) + byteAt(digest, index) + carry;
      this.#sum[index] = value;
      carry = value >> 8;
    }
  }

  /** @param member the canonical bytes of one that was added */
  remove(member: Uint8Array): void {
    const digest = sha256(member);
    let borrow = 0;
    for (let index = setHashBytes - 1; index >= 0; index -= 1) {
      const value = byteAt(this.#sum, index) - byteAt(digest, index) - borrow;
      this.#sum[index] = value;
      borrow = value < 0 ? 1 : 0;
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
