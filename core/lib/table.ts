/**
 * A sorted map that forks in constant time: the fold's tables. Iteration is in key order (code units for texts), so
 * nothing depends on the order of insertion. Built on sorted-btree, whose clones share nodes until one side writes.
 */
import BTreeModule from 'sorted-btree';

/** The keys of one table are all of one kind. */
export type Key = string | number | bigint;

/** The readable side. */
export interface Table<K extends Key, V> {
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

/** Code units for texts. */
function compareKeys<K extends Key>(a: K, b: K): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

/**
 * The writable side. A fork and its original do not notice what is written to the other, and nothing is copied until
 * something is. A table that has been shown to others is not written any more; whoever wants to change it forks it.
 */
export class SortedTable<K extends Key, V> implements Table<K, V> {
  #tree: BTree<K, V>;
  /** Whether `#tree` is this table's alone, so that writing needs no clone. */
  #isOwned: boolean;

  private constructor(tree: BTree<K, V>, isOwned: boolean) {
    this.#tree = tree;
    this.#isOwned = isOwned;
  }

  static empty<K extends Key, V>(): SortedTable<K, V> {
    return new SortedTable(new BTree<K, V>(undefined, compareKeys), true);
  }

  /** A copy of any table; in constant time of a `SortedTable`. */
  static forkOf<K extends Key, V>(table: Table<K, V>): SortedTable<K, V> {
    if (table instanceof SortedTable) return table.fork();
    const copy = SortedTable.empty<K, V>();
    for (const [key, value] of table.entries()) copy.set(key, value);
    return copy;
  }

  /** A copy, in constant time. */
  fork(): SortedTable<K, V> {
    this.#isOwned = false;
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
    if (!this.#isOwned) {
      this.#tree = this.#tree.clone();
      this.#isOwned = true;
    }
    return this.#tree;
  }
}
