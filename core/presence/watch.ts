/**
 * One observer's watch over the beats: who has been silent for how long, by its own monotonic clock alone.
 *
 * Vocabulary: a *sign* is a beat that is newer than the one seen before of its boot; *watching* is looking at the beats
 * often enough, and having one's own seen to change among them: who does not get through himself hears nobody, and judges
 * nobody. *Silence* is the time without a sign in one piece of watching: after a gap, be it that the store was lost or
 * that the observer slept, everybody has the whole grace time again. *Absence* is the same added up over gaps, which do
 * not count: for what lasts a day.
 */
import type { State } from '../fold/state.ts';
import type { StoredBeat } from '../log/presence-store.ts';
import type { Host } from '../model/host.ts';
import type { BootId } from '../model/ids.ts';
import { type Beat, decodeBeat } from './beat.ts';

/** What is known of one boot whose beat lies in the store. */
export interface Sighting {
  readonly beat: Beat;
  readonly firstAtMs: number;
  /** Of its last sign. */
  readonly signAtMs: number;
  /** As `signAtMs`, on the clock that stands still in gaps. */
  readonly signAtWatched: number;
}

/** The last sign of a host's life, or when its present life began here. */
interface Sign {
  readonly atMs: number;
  readonly atWatched: number;
}

interface Known extends Sign {
  readonly epoch: number;
  readonly isDown: boolean;
}

export class Watch {
  readonly #own: BootId;
  #sightings: ReadonlyMap<BootId, Sighting> = new Map();
  readonly #known = new Map<string, Known>();
  #lookedAtMs: number | undefined;
  /** Since when it is watched without a gap; absent while it is not. */
  #sinceMs: number | undefined;
  #watchedMs = 0;

  constructor(own: BootId) {
    this.#own = own;
  }

  /** What lies in the store, but for what is no beat. */
  get sightings(): ReadonlyMap<BootId, Sighting> {
    return this.#sightings;
  }

  get isWatching(): boolean {
    return this.#sinceMs !== undefined;
  }

  /**
   * A look that succeeded.
   *
   * @param askedAtMs when the store was asked: what it says may be as old as that
   * @param gapMs how far two looks may lie apart
   */
  look(stored: readonly StoredBeat[], state: State, askedAtMs: number, nowMs: number, gapMs: number): void {
    this.#passTime(askedAtMs, nowMs, gapMs);
    const sightings = new Map<BootId, Sighting>();
    for (const { boot, bytes } of stored) {
      const beat = decodeBeat(bytes);
      if (beat !== undefined) sightings.set(boot, this.#sighted(boot, beat, nowMs));
    }
    this.#sightings = sightings;
    const own = sightings.get(this.#own);
    if (own === undefined || nowMs - own.signAtMs > gapMs) this.#sinceMs = undefined;
    else this.#sinceMs ??= nowMs;
    this.#noteHosts(state, nowMs);
  }

  /** How long a host had been silent when the store was last asked, milliseconds; 0 while it is not watched. */
  silenceMs({ name }: Host): number {
    const known = this.#known.get(name);
    if (this.#sinceMs === undefined || this.#lookedAtMs === undefined || known === undefined) return 0;
    return Math.max(0, this.#lookedAtMs - Math.max(known.atMs, this.#sinceMs));
  }

  /** How long a host has been away, in what was watched, milliseconds. */
  absenceMs({ name }: Host): number {
    const known = this.#known.get(name);
    return this.#sinceMs === undefined || known === undefined ? 0 : this.#watchedMs - known.atWatched;
  }

  /** The newest beat of a host's present life, or of a later one. */
  latestOf({ name, epoch }: Host): Sighting | undefined {
    let latest: Sighting | undefined;
    for (const sighting of this.#sightings.values()) {
      const { beat, signAtMs } = sighting;
      if (beat.host !== name || beat.epoch < epoch) continue;
      const isLater = latest === undefined || beat.epoch > latest.beat.epoch || signAtMs > latest.signAtMs;
      if (isLater) latest = sighting;
    }
    return latest;
  }

  /** Daemons that write as one host: each of them gave a sign after all of them were there. */
  daemonsOf(name: string): number {
    const boots = [...this.#sightings.values()].filter(({ beat }) => beat.host === name);
    const all = Math.max(...boots.map(({ firstAtMs }) => firstAtMs));
    return boots.filter(({ signAtMs }) => signAtMs > all).length;
  }

  /** Boots of others that have given no sign in so much of watching. */
  *stale(absenceMs: number): IterableIterator<readonly [BootId, Beat]> {
    if (this.#sinceMs === undefined) return;
    for (const [boot, { beat, signAtWatched }] of this.#sightings)
      if (boot !== this.#own && this.#watchedMs - signAtWatched >= absenceMs) yield [boot, beat];
  }

  #passTime(askedAtMs: number, nowMs: number, gapMs: number): void {
    const before = this.#lookedAtMs;
    this.#lookedAtMs = askedAtMs;
    if (this.#sinceMs === undefined || before === undefined) return;
    if (nowMs - before > gapMs) this.#sinceMs = undefined;
    else this.#watchedMs += askedAtMs - before;
  }

  #sighted(boot: BootId, beat: Beat, nowMs: number): Sighting {
    const before = this.#sightings.get(boot);
    if (before !== undefined && beat.count <= before.beat.count) return before;
    const sign = { beat, signAtMs: nowMs, signAtWatched: this.#watchedMs };
    return { ...sign, firstAtMs: before?.firstAtMs ?? nowMs };
  }

  /** A life begins when it is first seen here, in whatever state: it has all the time from then on. */
  #noteHosts(state: State, nowMs: number): void {
    const signs = this.#signs();
    for (const name of [...this.#known.keys()]) if (!state.hosts.has(name)) this.#known.delete(name);
    for (const { name, epoch, isDown } of state.hosts.values()) {
      const known = this.#known.get(name);
      const isSame = known !== undefined && known.epoch === epoch && known.isDown === isDown;
      const began = isSame ? known : { atMs: nowMs, atWatched: this.#watchedMs };
      const sign = signs.get(name);
      const isSign = sign !== undefined && sign.beat.epoch >= epoch && sign.signAtMs > began.atMs;
      const last = isSign ? { atMs: sign.signAtMs, atWatched: sign.signAtWatched } : began;
      this.#known.set(name, { epoch, isDown, atMs: last.atMs, atWatched: last.atWatched });
    }
  }

  /** The last sign of each host, of its latest life that has given one. */
  #signs(): ReadonlyMap<string, Sighting> {
    const signs = new Map<string, Sighting>();
    for (const sighting of this.#sightings.values()) {
      const { beat, signAtMs } = sighting;
      const other = signs.get(beat.host);
      const isLater =
        other === undefined ||
        beat.epoch > other.beat.epoch ||
        (beat.epoch === other.beat.epoch && signAtMs > other.signAtMs);
      if (isLater) signs.set(beat.host, sighting);
    }
    return signs;
  }
}
