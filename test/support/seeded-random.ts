/** Chance that repeats itself: mulberry32, by Tommy Ettinger (public domain). */
import type { Random } from '../../core/ports/random.ts';

export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  hex(bytes: number): string {
    let text = '';
    for (let count = 0; count < bytes; count++) text += this.below(256).toString(16).padStart(2, '0');
    return text;
  }

  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0, less than `bound`. */
  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }
}
