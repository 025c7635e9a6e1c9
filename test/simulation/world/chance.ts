/**
 * Chance of one seed, in streams: one per host and purpose. A draw more in one stream moves none in another, so a
 * changed fault leaves the rest of a life as it was.
 */
import type { Random } from '../../../core/ports/random.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

export class Chance implements Random {
  readonly #random: SeededRandom;
  readonly #tag: string;

  constructor(seed: number, stream: string) {
    const mixed = hashOf(`${seed} ${stream}`);
    this.#random = new SeededRandom(mixed);
    this.#tag = mixed.toString(16).padStart(8, '0');
  }

  /** Ids of two streams never meet: each begins with its stream's own digits. */
  hex(bytes: number): string {
    return bytes < 8 ? this.#random.hex(bytes) : this.#tag + this.#random.hex(bytes - 4);
  }

  unit(): number {
    return this.#random.unit();
  }

  /** A whole number from 0, less than `bound`. */
  below(bound: number): number {
    return this.#random.below(bound);
  }

  between(min: number, max: number): number {
    return min + (max - min) * this.#random.unit();
  }

  /** True with that probability; costs no draw where nothing is to be decided. */
  happens(probability: number): boolean {
    return probability > 0 && this.#random.unit() < probability;
  }

  /** One of them; there must be one. */
  pick<T>(list: readonly T[]): T {
    const index = this.#random.below(list.length);
    if (index >= list.length) throw new Error('Broken invariant: nothing to pick from');
    return list[index] as T;
  }

  /** One of the keys, by weight. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let at = this.#random.unit() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      at -= weight;
      if (at < 0) return key;
    }
    return (entries.at(-1) as [K, number])[0];
  }
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  // Neighbouring seeds differ in few bits of the last byte; spread them.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
