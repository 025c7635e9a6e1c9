/**
 * Whether the hosts still agree on what the log means. Two that had other hashes at one ordinal have parted for ever: a
 * defect, of one of the two, and nobody can tell of which but by the others.
 */
import type { State } from '../fold/state.ts';
import type { Beat } from './beat.ts';
import type { Marks } from './marks.ts';

/** How one other host stands to this one, as far as was compared. */
export interface Agreement {
  readonly epoch: number;
  /** The last ordinal at which both had the same hashes; 0 where there was none. */
  readonly agreedAt: number;
  /** The first ordinal known at which they had not. */
  readonly partedAt?: number;
  /** What differed there: what was read of the log, or what was made of it. */
  readonly what?: 'records' | 'state';
}

export class Parting {
  readonly #marks: Marks;
  readonly #others = new Map<string, Agreement>();

  constructor(marks: Marks) {
    this.#marks = marks;
  }

  /** Compares what the beats say with what this host had. @param beats one of each other host, of its present life */
  compare(beats: Iterable<Beat>, state: State): void {
    for (const name of [...this.#others.keys()]) if (!state.hosts.has(name)) this.#others.delete(name);
    for (const beat of beats) this.#compareOne(beat);
  }

  of(host: string): Agreement | undefined {
    return this.#others.get(host);
  }

  /** Those that have parted from this host, by name. */
  get parted(): readonly string[] {
    return [...this.#others].flatMap(([name, { partedAt }]) => (partedAt === undefined ? [] : [name])).sort();
  }

  /**
   * Whether it is this host that has gone astray: more have parted from it than go with it, or as many, and none is left
   * to decide. Of two that differ both stop: neither knows better.
   *
   * @param hosts how many there are to be heard, with this one
   */
  isAstray(hosts: number): boolean {
    const against = this.parted.length;
    const compared = [...this.#others.values()].filter(
      ({ agreedAt, partedAt }) => agreedAt > 0 || partedAt !== undefined,
    ).length;
    const withUs = 1 + compared - against;
    return against > withUs || (against > 0 && against === withUs && 1 + compared >= hosts);
  }

  #compareOne({ host, epoch, account }: Beat): void {
    const before = this.#others.get(host);
    let agreement: Agreement =
      before !== undefined && before.epoch === epoch ? before : { epoch, agreedAt: 0 };
    for (const mark of account?.marks ?? []) {
      const own = this.#marks.at(mark.ordinal);
      if (own === undefined) continue;
      const what =
        own.recordHash !== mark.recordHash
          ? ('records' as const)
          : own.stateHash !== mark.stateHash
            ? ('state' as const)
            : undefined;
      if (what === undefined)
        agreement = { ...agreement, agreedAt: Math.max(agreement.agreedAt, mark.ordinal) };
      else if (mark.ordinal < (agreement.partedAt ?? Infinity))
        agreement = { ...agreement, partedAt: mark.ordinal, what };
    }
    this.#others.set(host, agreement);
  }
}
