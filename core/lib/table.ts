/**
 * A sorted map that forks in constant time: the fold's tables. Iteration is in key order (code units for texts), so
 * nothing depends on the order of insertion. Built on sorted-btree, whose clones share nodes until one side writes.
 */
import type BTreeModule from 'sorted-btree';

/** The readable side. */
export interface Table<K extends string | number, V> {
  readonly size: number;
  get(key: K): V | undefined;
  has(key: K): boolean;
  keys(): IterableIterator<K>;
  values(): IterableIterator<V>;
  entries(): IterableIterator<[K, V]>;
}
