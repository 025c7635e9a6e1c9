/**
 * Chance of one seed, in streams, one per host and purpose. What a draw gives follows from the seed, the stream, the
 * virtual moment and how many draws the stream has had in that moment; not from what was drawn before. So where one thing
 * is taken out of a life, all that still happens at its old moment has its old luck.
 */
import type { Random } from '../../../core/ports/random.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

/** Bytes of an id that say where it comes from: its stream, its moment. */
const originBytes = 8;

export class Chance implements Random {
  readonly #stream: number;
  readonly #tag: string;
  readonly #nowMs: () => number;
  #momentMs = Number.NaN;
  #random = new SeededRandom(0);
  #ids = 0;

  /** @param nowMs virtual time */
  constructor(seed: number, stream: string, nowMs: () => number = () => 0) {
    this.#stream = hashOf(`${seed} ${stream}`);
    this.#tag = this.#stream.toString(16).padStart(8, '0');
    this.#nowMs = nowMs;
  }

  /** Ids of two streams never meet: each begins with its stream's own digits. Those of two moments differ too. */
  hex(bytes: number): string {
    const random = this.#atMoment();
    if (bytes < originBytes + 4) return random.hex(bytes);
    const moment = mixed(momentHash(this.#momentMs, 0x9e3779b9) ^ ++this.#ids);
    return this.#tag + moment.toString(16).padStart(8, '0') + random.hex(bytes - originBytes);
  }

  unit(): number {
    return this.#atMoment().unit();
  }

  /** A whole number from 0, less than `bound`. */
  below(bound: number): number {
    return this.#atMoment().below(bound);
  }

  /** A whole number of milliseconds, less than `bound`. */
  ms(bound: number): number {
    return this.below(Math.ceil(bound));
  }

  /** From 0 to less than one, in thousandths: as text has it. */
  part(): number {
    return this.below(1_000) / 1_000;
  }

  between(min: number, max: number): number {
    return min + (max - min) * this.unit();
  }

  /** True with that probability; costs no draw where nothing is to be decided. */
  happens(probability: number): boolean {
    return probability > 0 && this.unit() < probability;
  }

  /** One of them; there must be one. */
  pick<T>(list: readonly T[]): T {
    const index = this.below(list.length);
    if (index >= list.length) throw new Error('Broken invariant: nothing to pick from');
    return list[index] as T;
  }

  /** One of the keys, by weight. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let at = this.unit() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      at -= weight;
      if (at < 0) return key;
    }
    return (entries.at(-1) as [K, number])[0];
  }

  #atMoment(): SeededRandom {
    const nowMs = this.#nowMs();
    if (nowMs !== this.#momentMs) {
      this.#momentMs = nowMs;
      this.#ids = 0;
      this.#random = new SeededRandom(mixed(momentHash(nowMs, this.#stream)));
    }
    return this.#random;
  }
}

const floats = new Float64Array(1);
const words = new Uint32Array(floats.buffer);

/** Every bit of the time counts: moments differ by parts of a microsecond. */
function momentHash(nowMs: number, salt: number): number {
  floats[0] = nowMs;
  return mixed(mixed(salt ^ (words[0] ?? 0)) ^ (words[1] ?? 0));
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  // Neighbouring seeds differ in few bits of the last byte; spread them.
  return mixed(hash);
}

/** Spreads each bit over all: the finish of MurmurHash3, by Austin Appleby (public domain). */
function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
