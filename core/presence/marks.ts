/**
 * The hashes that this host had along the log, kept to be compared with those of others: of every ordinal of late, and
 * of some of all before, evenly, as far back as a host may lag that still follows.
 */
import type { State } from '../fold/state.ts';
import type { Mark } from './beat.ts';
import { markStrideOrdinals, marksMax, recentMarksMax } from './defaults.ts';

export class Marks {
  readonly #recent = new Map<number, Mark>();
  readonly #strided = new Map<number, Mark>();

  /** To be told of every state, in order. */
  push({ ordinal, recordHash, stateHash }: State): void {
    const mark = { ordinal, recordHash, stateHash };
    keep(this.#recent, mark, recentMarksMax);
    if (ordinal % markStrideOrdinals === 0) keep(this.#strided, mark, marksMax);
  }

  at(ordinal: number): Mark | undefined {
    return this.#recent.get(ordinal) ?? this.#strided.get(ordinal);
  }

  /** What a beat says: the newest, and the newest that others keep for long. */
  newest(): Mark[] {
    const marks = [last(this.#strided), last(this.#recent)].flatMap((mark) => mark ?? []);
    return marks[0]?.ordinal === marks[1]?.ordinal ? marks.slice(0, 1) : marks;
  }
}

function keep(marks: Map<number, Mark>, mark: Mark, max: number): void {
  marks.set(mark.ordinal, mark);
  if (marks.size <= max) return;
  for (const oldest of marks.keys()) {
    marks.delete(oldest);
    return;
  }
}

function last(marks: ReadonlyMap<number, Mark>): Mark | undefined {
  let newest: Mark | undefined;
  for (const mark of marks.values()) newest = mark;
  return newest;
}
