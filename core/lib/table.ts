/**
 * A sorted map that forks in constant time: the fold's tables. Iteration is in key order (code units for texts), so
 * nothing depends on the order of insertion. Built on sorted-btree, whose clones share nodes until one side writes.
 */
import BTreeModule from 'sorted-btree';

/** The readable side. */
export interface Table<K extends string | number, V> {
  readonly size: number;
  get(key: K): V | undefined;
  has(key: K): boolean;
  /** In key order, beginning with the first key that is not below `from`. */
  keys(from?: K): IterableIterator<K>;
  values(from?: K): IterableIterator<V>;
  entries(from?: K): IterableIterator<[K, V]>;
}

// The package is CommonJS: its class is a member of what Node imports as the default.
const BTree = BTreeModule.default;
type BTree<K, V> = BTreeModule.default<K, V>;

/** Code units for texts; no table mixes texts and numbers, and none has NaN for a key. */
function compareKeys<K extends string | number>(a: K, b: K): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

/**
 * The writable side. A table is written by whoever forked it and by nobody after it has been shown to others: `fork`
 * gives a copy that may be written without the original noticing, and copies nothing until it is.
 */
export class SortedTable<K extends string | number, V> implements Table<K, V> {
  #tree: BTree<K, V>;
  /** Whether `#tree` is this table's alone, so that writing needs no clone. */
  #owned: boolean;

  private constructor(tree: BTree<K, V>, owned: boolean) {
    this.#tree = tree;
    this.#owned = owned;
  }

  static empty<K extends string | number, V>(): SortedTable<K, V> {
    return new SortedTable(new BTree<K, V>(undefined, compareKeys), true);
  }

  /** A writable copy of any table; in constant time of a `SortedTable`, which from here on may be read only. */
  static forkOf<K extends string | number, V>(table: Table<K, V>): SortedTable<K, V> {
    if (table instanceof SortedTable) return table.fork();
    const copy = SortedTable.empty<K, V>();
    for (const [key, value] of table.entries()) copy.set(key, value);
    return copy;
  }

  /** Constant time. From here on this table may be read only; the fork may be written. */
  fork(): SortedTable<K, V> {
    return new SortedTable(this.#tree, false);
  }

  get size(): number {
    return this.#tree.size;
  }

  get(key: K): V | undefined {
    return this.#tree.get(key);
  }

  has(key: K): boolean {
    return this.#tree.has(key);
  }

  keys(from?: K): IterableIterator<K> {
    return this.#tree.keys(from);
  }

  values(from?: K): IterableIterator<V> {
    return this.#tree.values(from);
  }

  entries(from?: K): IterableIterator<[K, V]> {
    return this.#tree.entries(from);
  }

  /** The entry with the greatest key that is not above `key`. */
  floor(key: K): [K, V] | undefined {
    return this.#tree.getPairOrNextLower(key);
  }

  set(key: K, value: V): void {
    this.#own().set(key, value);
  }

  /** True when the key was there. */
  delete(key: K): boolean {
    return this.#own().delete(key);
  }

  #own(): BTree<K, V> {
    if (!this.#owned) {
      this.#tree = this.#tree.clone();
      this.#owned = true;
    }
    return this.#tree;
  }
}
