/** SHA-256 of many short messages one after another: one hasher that begins anew each time instead of one for each. */
import { sha256 } from '@noble/hashes/sha2.js';

export const digestBytes = 32;

/** Never updated: what every message begins from. */
const fresh = sha256.create();

export class Digester {
  readonly #hasher = sha256.create();
  readonly #out = new Uint8Array(digestBytes);

  /** The digest of the parts one behind the other, valid until the next call. */
  digest(...parts: readonly Uint8Array[]): Uint8Array {
    fresh._cloneInto(this.#hasher);
    for (const part of parts) this.#hasher.update(part);
    this.#hasher.digestInto(this.#out);
    return this.#out;
  }
}
