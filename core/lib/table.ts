/**
 * A sorted map that forks in constant time: the fold's tables. Iteration is in key order (code units for texts), so
 * nothing depends on the order of insertion. Built on sorted-btree, whose clones share nodes until one side writes.
 */
import BTreeModule from 'sorted-btree';
import { bulkLoad } from 'sorted-btree/extended/bulkLoad.js';

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

/** Of a node; what sorted-btree takes by itself. */
const nodeEntriesMax = 32;
/** How full nodes are that are made of many entries at once: the first write to one does not split it. */
const loadFactor = 0.9;

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
  /** Entries that a table that is being loaded was given, not in the tree yet. */
  #loading: { readonly keys: K[]; readonly values: V[] } | undefined;
  /** Whether `#tree` is this table's alone, so that writing needs no clone. */
  #isOwned: boolean;

  private constructor(tree: BTree<K, V>, isOwned: boolean) {
    this.#tree = tree;
    this.#isOwned = isOwned;
  }

  static empty<K extends Key, V>(): SortedTable<K, V> {
    return new SortedTable(new BTree<K, V>(undefined, compareKeys), true);
  }

  /**
   * An empty one that is to get very many entries, of different keys, before anybody looks at it. They are sorted once, at
   * the first look, which takes a fraction of the time and leaves the tree densely packed. Two of one key: that look throws.
   */
  static loading<K extends Key, V>(): SortedTable<K, V> {
    const table = SortedTable.empty<K, V>();
    table.#loading = { keys: [], values: [] };
    return table;
  }

  /** So that the first look does not have to. @throws Error where two entries have one key */
  endLoading(): void {
    this.#ordered();
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
    const tree = this.#ordered();
    this.#isOwned = false;
    return new SortedTable(tree, false);
  }

  get size(): number {
    return this.#ordered().size;
  }

  get(key: K): V | undefined {
    return this.#ordered().get(key);
  }

  has(key: K): boolean {
    return this.#ordered().has(key);
  }

  keys(from?: K): IterableIterator<K> {
    return this.#ordered().keys(from);
  }

  values(from?: K): IterableIterator<V> {
    return this.#ordered().values(from);
  }

  entries(from?: K): IterableIterator<[K, V]> {
    return this.#ordered().entries(from);
  }

  /** The entry with the greatest key that is not above `key`. */
  floor(key: K): [K, V] | undefined {
    return this.#ordered().getPairOrNextLower(key);
  }

  set(key: K, value: V): void {
    if (this.#loading === undefined) {
      this.#own().set(key, value);
    } else {
      this.#loading.keys.push(key);
      this.#loading.values.push(value);
    }
  }

  /** True when the key was there. */
  delete(key: K): boolean {
    return this.#own().delete(key);
  }

  #ordered(): BTree<K, V> {
    if (this.#loading !== undefined) {
      const { keys, values } = inOrder(this.#loading.keys, this.#loading.values);
      this.#tree = bulkLoad(keys, values, nodeEntriesMax, compareKeys, loadFactor);
      this.#loading = undefined;
    }
    return this.#tree;
  }

  #own(): BTree<K, V> {
    const tree = this.#ordered();
    if (!this.#isOwned) {
      this.#tree = tree.clone();
      this.#isOwned = true;
    }
    return this.#tree;
  }
}

function inOrder<K extends Key, V>(keys: K[], values: V[]): { readonly keys: K[]; readonly values: V[] } {
  if (keys.every((key, index) => index === 0 || (keys[index - 1] as K) < key)) return { keys, values };
  const places = Uint32Array.from(keys, (_key, index) => index);
  // No two are equal, or the tree will not take them.
  places.sort((a, b) => ((keys[a] as K) < (keys[b] as K) ? -1 : 1));
  return {
    keys: Array.from(places, (place) => keys[place] as K),
    values: Array.from(places, (place) => values[place] as V),
  };
}
