/**
 * A set of whole numbers kept as ranges, for addresses and VNIs: it costs memory by the gaps in what is used, not by the
 * width of what could be. Ranges never touch or overlap, so the number after one is always free. Immutable: every change
 * gives a new set that shares its nodes with the old one.
 */
import { SortedTable } from '../lib/table.ts';

export interface Range {
  readonly first: bigint;
  /** Inclusive. */
  readonly last: bigint;
}

export class RangeSet {
  static readonly empty: RangeSet = new RangeSet(SortedTable.empty(), 0n);

  /** First to last of each range. */
  readonly #ranges: SortedTable<bigint, bigint>;
  /** How many numbers are in the set. */
  readonly size: bigint;

  private constructor(ranges: SortedTable<bigint, bigint>, size: bigint) {
    this.#ranges = ranges;
    this.size = size;
  }

  /** The set of those numbers, which may come in any order and more than once. Much faster than one `with` a number. */
  static of(values: Iterable<bigint>): RangeSet {
    const ranges = SortedTable.empty<bigint, bigint>();
    let size = 0n;
    let open: { first: bigint; last: bigint } | undefined;
    const close = (): void => {
      if (open === undefined) return;
      ranges.set(open.first, open.last);
      size += open.last - open.first + 1n;
    };
    for (const value of [...values].sort(ascending)) {
      if (open !== undefined && value <= open.last + 1n) {
        open.last = value;
        continue;
      }
      close();
      open = { first: value, last: value };
    }
    close();
    return new RangeSet(ranges, size);
  }

  /** How many ranges it takes to hold the set. */
  get rangeCount(): number {
    return this.#ranges.size;
  }

  has(value: bigint): boolean {
    const range = this.#ranges.floor(value);
    return range !== undefined && range[1] >= value;
  }

  /** The set with every number from `first` to `last`, whether or not some are in it already. */
  with(first: bigint, last: bigint = first): RangeSet {
    const ranges = this.#ranges.fork();
    let [start, end, size] = [first, last, this.size];
    for (const range of this.#touching(first, last)) {
      ranges.delete(range.first);
      size -= range.last - range.first + 1n;
      if (range.first < start) start = range.first;
      if (range.last > end) end = range.last;
    }
    ranges.set(start, end);
    return new RangeSet(ranges, size + end - start + 1n);
  }

  /** The set without any number from `first` to `last`. */
  without(first: bigint, last: bigint = first): RangeSet {
    const ranges = this.#ranges.fork();
    let size = this.size;
    for (const range of this.#touching(first, last)) {
      if (range.last < first || range.first > last) continue;
      ranges.delete(range.first);
      size -= range.last - range.first + 1n;
      if (range.first < first) {
        ranges.set(range.first, first - 1n);
        size += first - range.first;
      }
      if (range.last > last) {
        ranges.set(last + 1n, range.last);
        size += range.last - last;
      }
    }
    return new RangeSet(ranges, size);
  }

  /** The lowest number from `from` up that is not in the set. */
  nextFree(from: bigint): bigint {
    const range = this.#ranges.floor(from);
    return range !== undefined && range[1] >= from ? range[1] + 1n : from;
  }

  /** The lowest number from `from` up that is in the set. */
  nextTaken(from: bigint): bigint | undefined {
    if (this.has(from)) return from;
    const [first] = this.#ranges.keys(from);
    return first;
  }

  /** In ascending order. */
  *ranges(): IterableIterator<Range> {
    for (const [first, last] of this.#ranges.entries()) yield { first, last };
  }

  /** The ranges that overlap or border on what lies between two numbers, in ascending order. */
  #touching(first: bigint, last: bigint): Range[] {
    const touching: Range[] = [];
    const below = this.#ranges.floor(first);
    if (below !== undefined && below[1] >= first - 1n) touching.push({ first: below[0], last: below[1] });
    for (const [start, end] of this.#ranges.entries(first + 1n)) {
      if (start > last + 1n) break;
      touching.push({ first: start, last: end });
    }
    return touching;
  }
}

function ascending(a: bigint, b: bigint): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}
