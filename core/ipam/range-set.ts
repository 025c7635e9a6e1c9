/**
 * A set of whole numbers kept as ranges, for addresses and VNIs: it costs memory by the gaps in what is used, not by the
 * width of what could be. Ranges never touch or overlap, so the number after one is always free. Immutable: every change
 * gives a new set that shares its nodes with the old one.
 */
import BTreeModule from 'sorted-btree';

export interface Range {
  readonly first: bigint;
  /** Inclusive. */
  readonly last: bigint;
}

// The package is CommonJS: its class is a member of what Node imports as the default.
const BTree = BTreeModule.default;
type BTree<K, V> = BTreeModule.default<K, V>;

function compare(a: bigint, b: bigint): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

export class RangeSet {
  static readonly empty: RangeSet = new RangeSet(new BTree<bigint, bigint>(undefined, compare), 0n);

  /** First to last of each range. */
  readonly #ranges: BTree<bigint, bigint>;
  /** How many numbers are in the set. */
  readonly size: bigint;

  private constructor(ranges: BTree<bigint, bigint>, size: bigint) {
    this.#ranges = ranges;
    this.size = size;
  }

  /** How many ranges it takes to hold the set. */
  get rangeCount(): number {
    return this.#ranges.size;
  }

  has(value: bigint): boolean {
    const range = this.#ranges.getPairOrNextLower(value);
    return range !== undefined && range[1] >= value;
  }

  /** The set with every number from `first` to `last`, whether or not some are in it already. */
  with(first: bigint, last: bigint = first): RangeSet {
    const ranges = this.#ranges.clone();
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
    const ranges = this.#ranges.clone();
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
    const range = this.#ranges.getPairOrNextLower(from);
    return range !== undefined && range[1] >= from ? range[1] + 1n : from;
  }

  /** The lowest number from `from` up that is in the set. */
  nextTaken(from: bigint): bigint | undefined {
    return this.has(from) ? from : this.#ranges.nextHigherKey(from);
  }

  /** In ascending order. */
  *ranges(): IterableIterator<Range> {
    for (const [first, last] of this.#ranges.entries()) yield { first, last };
  }

  /** The ranges that overlap or border on what lies between two numbers, in ascending order. */
  #touching(first: bigint, last: bigint): Range[] {
    const touching: Range[] = [];
    const below = this.#ranges.getPairOrNextLower(first);
    if (below !== undefined && below[1] >= first - 1n) touching.push({ first: below[0], last: below[1] });
    let next = this.#ranges.nextHigherPair(first);
    while (next !== undefined && next[0] <= last + 1n) {
      touching.push({ first: next[0], last: next[1] });
      next = this.#ranges.nextHigherPair(next[0]);
    }
    return touching;
  }
}
