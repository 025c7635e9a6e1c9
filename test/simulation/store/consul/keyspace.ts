/**
 * What Consul's servers agree on: keys, each with the index of the write that made it and of its last one, in the order of
 * keys; and the history of it, for servers that are behind.
 *
 * An index counts all that goes through Raft, keys or not, so those of one log are sparse; all that one transaction writes
 * has the same. The index of a list is that of its newest key or tombstone; of an empty one, that of the whole table.
 * Source: Consul 1.8, `agent/consul/state/kvs.go` and `txn.go`.
 */
import type { KvOperation } from '../../../../adapters/consul/channel.ts';

/** A key as one write left it; without a value where it was deleted. */
export interface Version {
  readonly key: string;
  readonly value: Buffer | undefined;
  readonly create: number;
  readonly modify: number;
}

/** One of a whole folder has the folder's name. */
type Tombstone = Pick<Version, 'key' | 'modify'>;

export interface Listing {
  readonly found: readonly Version[];
  /** What the answer says to wait with. */
  readonly index: number;
}

export type TxnResult =
  | { readonly type: 'done'; readonly results: readonly { version: Version; isRead: boolean }[] }
  | { readonly type: 'refused'; readonly refusals: readonly { OpIndex: number; What: string }[] };

export class Keyspace {
  #keys = new Map<string, Version>();
  /** In the order of keys. */
  #names: string[] = [];
  #history: Version[] = [];
  #tombstones: Tombstone[] = [];
  #index = 10;
  /** Of the last write to any key. */
  #tableIndex = 1;

  /** The newest index. */
  get index(): number {
    return this.#index;
  }

  get(key: string): Version | undefined {
    return this.#keys.get(key);
  }

  /** What was written at that index and later. */
  since(index: number): readonly Version[] {
    let from = this.#history.length;
    while (from > 0 && (this.#history[from - 1]?.modify ?? 0) >= index) from -= 1;
    return this.#history.slice(from);
  }

  /** @param asOf as it was at that index */
  list(prefix: string, asOf?: number): Listing {
    if (asOf !== undefined && asOf < this.#index) return this.#listOf(prefix, asOf);
    const found: Version[] = [];
    for (let at = this.#placeOf(prefix); this.#names[at]?.startsWith(prefix) === true; at++) {
      const version = this.#keys.get(this.#names[at] ?? '');
      if (version !== undefined) found.push(version);
    }
    return { found, index: indexOf(prefix, found, this.#tombstones, this.#tableIndex) };
  }

  txn(operations: readonly KvOperation[]): TxnResult {
    const refusals = operations.flatMap((operation, OpIndex) => {
      const What = this.#refusalOf(operation);
      return What === undefined ? [] : [{ OpIndex, What }];
    });
    // Also one that is refused goes through Raft.
    if (isWrite(operations)) this.#index += 1;
    if (refusals.length > 0) return { type: 'refused', refusals };
    return { type: 'done', results: operations.flatMap((operation) => this.#perform(operation)) };
  }

  put(key: string, value: Buffer): void {
    this.#index += 1;
    this.#write(key, value);
  }

  delete(keys: readonly string[]): void {
    this.#index += 1;
    for (const key of keys) this.#bury(key);
  }

  /** Tombstones are forgotten, and indexes of lists may go down. True where there were any. */
  reap(): boolean {
    return this.#tombstones.splice(0).length > 0;
  }

  names(): readonly string[] {
    return this.#names;
  }

  /** Servers with nothing in them. */
  clear(): void {
    this.#take([]);
    this.#index = 10;
    this.#tableIndex = 1;
  }

  /** Online, from a backup of that index: keys have their old indexes, and what is written next has a higher one than ever. */
  restore(index: number): void {
    this.#take(this.#history.filter(({ modify }) => modify <= index));
    this.#tableIndex = this.#history.at(-1)?.modify ?? 1;
    this.#index += 4;
  }

  #take(history: readonly Version[]): void {
    this.#history = [...history];
    this.#tombstones = [];
    this.#keys = keysOf(history);
    this.#names = [...this.#keys.keys()].sort();
  }

  #listOf(prefix: string, asOf: number): Listing {
    const history = this.#history.filter(({ modify }) => modify <= asOf);
    const found = [...keysOf(history).values()]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    return { found, index: indexOf(prefix, found, [], history.at(-1)?.modify ?? 1) };
  }

  #write(key: string, value: Buffer | undefined): Version {
    const before = this.#keys.get(key);
    const version = { key, value, create: before?.create ?? this.#index, modify: this.#index };
    if (value === undefined) {
      this.#keys.delete(key);
      if (before !== undefined) this.#names.splice(this.#placeOf(key), 1);
    } else {
      this.#keys.set(key, version);
      if (before === undefined) this.#names.splice(this.#placeOf(key), 0, key);
    }
    this.#history.push(version);
    this.#tableIndex = this.#index;
    return version;
  }

  /** Where in the order of keys the first one is that does not come before it. */
  #placeOf(key: string): number {
    let low = 0;
    for (let high = this.#names.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((this.#names[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #perform({ Verb, Key, Value }: KvOperation): { version: Version; isRead: boolean }[] {
    switch (Verb) {
      case 'check-index':
        return this.#shown(this.#keys.get(Key), true);
      case 'get-tree':
        return this.list(Key).found.flatMap((version) => this.#shown(version, true));
      case 'cas':
      case 'set':
        return this.#shown(this.#write(Key, Buffer.from(Value ?? '', 'base64')), false);
      case 'delete-cas':
        if (this.#keys.has(Key)) this.#bury(Key);
        return [];
      case 'delete-tree':
        this.#buryTree(Key);
        return [];
    }
  }

  #bury(key: string): void {
    this.#tombstones.push(this.#write(key, undefined));
  }

  /** One tombstone for all of it, which is none for the folders in it. */
  #buryTree(prefix: string): void {
    const { found } = this.list(prefix);
    for (const { key } of found) this.#write(key, undefined);
    if (found.length > 0) this.#tombstones.push({ key: prefix, modify: this.#index });
  }

  #refusalOf({ Verb, Key, Index = 0 }: KvOperation): string | undefined {
    const found = this.#keys.get(Key);
    if (Verb === 'check-index') {
      if (found === undefined) return `failed to check index of key "${Key}", key does not exist`;
      return found.modify === Index
        ? undefined
        : `current modify index ${found.modify} does not match ${Index}`;
    }
    // A key that is gone already is as good as deleted.
    if (Verb === 'delete-cas')
      return found === undefined || found.modify === Index
        ? undefined
        : `failed to delete key "${Key}", index is stale`;
    if (Verb !== 'cas') return undefined;
    return (found?.modify ?? 0) === Index ? undefined : `failed to set key "${Key}", index is stale`;
  }

  #shown(version: Version | undefined, isRead: boolean): { version: Version; isRead: boolean }[] {
    return version === undefined ? [] : [{ version, isRead }];
  }
}

export function isWrite(operations: readonly KvOperation[]): boolean {
  return operations.some(({ Verb }) => Verb !== 'check-index' && Verb !== 'get-tree');
}

function keysOf(history: readonly Version[]): Map<string, Version> {
  const keys = new Map(history.map((version) => [version.key, version]));
  for (const [key, { value }] of keys) if (value === undefined) keys.delete(key);
  return keys;
}

function indexOf(
  prefix: string,
  found: readonly Version[],
  tombstones: readonly Tombstone[],
  tableIndex: number,
): number {
  let newest = 0;
  for (const { modify } of found) newest = Math.max(newest, modify);
  for (const { key, modify } of tombstones) if (key.startsWith(prefix)) newest = Math.max(newest, modify);
  return newest > 0 ? newest : tableIndex;
}
