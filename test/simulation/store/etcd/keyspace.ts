/**
 * What etcd's servers agree on: keys with versions, one revision a transaction that writes, and the history of it.
 *
 * Revisions count all writes of all tenants, so those of one log are sparse. A range looks at the newest versions only. A
 * compaction forgets history, never keys.
 */
import type { ICompare, IKeyValue, IRangeRequest, IRequestOp, IResponseOp, ITxnRequest } from 'etcd3';

/** A key as one revision left it. */
export interface Version {
  readonly key: string;
  readonly value: Buffer;
  readonly create: number;
  readonly mod: number;
  readonly version: number;
  /** The key was deleted at that revision. */
  readonly isTombstone?: true;
}

export interface TxnResult {
  readonly succeeded: boolean;
  readonly responses: IResponseOp[];
  /** Bytes of all answers together. */
  readonly bytes: number;
}

const opsMax = 128;

export class Keyspace {
  /** By key; in the order of their creation, which a map keeps. */
  #keys = new Map<string, Version>();
  #history: Version[] = [];
  #revision = 1;

  get revision(): number {
    return this.#revision;
  }

  /** What was written at that revision and later, up to `limit` versions and those of the last one's revision. */
  since(revision: number, limit: number): readonly Version[] {
    let low = 0;
    for (let high = this.#history.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((this.#history[middle]?.mod ?? 0) < revision) low = middle + 1;
      else high = middle;
    }
    let end = low + limit;
    // What is written at one revision stays together.
    while (end < this.#history.length && this.#history[end]?.mod === this.#history[end - 1]?.mod) end += 1;
    return this.#history.slice(low, end);
  }

  has(key: Buffer): boolean {
    return this.#keys.has(textOf(key));
  }

  put(key: string, value: Buffer): void {
    this.#revision += 1;
    this.#write(key, value);
  }

  /** @param asOf read the keys as they were at that revision */
  txn(request: ITxnRequest, asOf?: number): TxnResult {
    const keys = asOf === undefined || asOf >= this.#revision ? this.#keys : keysOf(this.#history, asOf);
    const succeeded = (request.compare ?? []).every((compare) => holds(compare, keys));
    const ops = (succeeded ? request.success : request.failure) ?? [];
    // A deletion that deletes nothing writes nothing.
    if (ops.some((op) => op.request_put !== undefined || this.#doomedBy(op).length > 0)) this.#revision += 1;
    let bytes = 0;
    const responses = ops.map((op) => {
      if (op.request_put !== undefined) {
        this.#write(textOf(op.request_put.key), Buffer.from(op.request_put.value ?? ''));
        return { response: 'response_put' } as unknown as IResponseOp;
      }
      if (op.request_delete_range !== undefined) {
        const doomed = this.#doomedBy(op);
        for (const version of doomed) this.#delete(version);
        const deleted = { deleted: `${doomed.length}` };
        return {
          response: 'response_delete_range',
          response_delete_range: deleted,
        } as unknown as IResponseOp;
      }
      const { kvs, more } = range(keys, op.request_range ?? {});
      for (const kv of kvs) bytes += kv.key.length + kv.value.length;
      return {
        response: 'response_range',
        response_range: { kvs, more, count: `${kvs.length}` },
      } as unknown as IResponseOp;
    });
    return { succeeded, responses, bytes };
  }

  /** A cluster with nothing in it. */
  clear(): void {
    this.#keys = new Map();
    this.#history = [];
    this.#revision = 1;
  }

  /** As it was at that revision, which is the newest again: later ones will be given out a second time. */
  restore(revision: number): void {
    this.#keys = keysOf(this.#history, revision);
    this.#history = this.#history.filter(({ mod }) => mod <= revision);
    this.#revision = revision;
  }

  #doomedBy({ request_delete_range: request }: IRequestOp): readonly Version[] {
    if (request === undefined) return [];
    const [start, end] = [textOf(request.key), request.range_end];
    if (end === undefined) return [this.#keys.get(start)].filter((version) => version !== undefined);
    return [...this.#keys.values()].filter(({ key }) => key >= start && key < textOf(end));
  }

  #delete({ key }: Version): void {
    const { revision } = this;
    this.#keys.delete(key);
    const value = Buffer.alloc(0);
    this.#history.push({ key, value, create: 0, mod: revision, version: 0, isTombstone: true });
  }

  #write(key: string, value: Buffer): void {
    const before = this.#keys.get(key);
    const version: Version = {
      key,
      value,
      create: before?.create ?? this.#revision,
      mod: this.#revision,
      version: (before?.version ?? 0) + 1,
    };
    this.#keys.set(key, version);
    this.#history.push(version);
  }
}

export function toKv({ key, value, create, mod, version }: Version, isKeyOnly = false): IKeyValue {
  return {
    key: Buffer.from(key, 'latin1'),
    value: isKeyOnly ? Buffer.alloc(0) : Buffer.from(value),
    create_revision: `${create}`,
    mod_revision: `${mod}`,
    version: `${version}`,
    lease: '0',
  };
}

/** Etcd tells whether a transaction may write from its operations alone, before it compares. */
export function mayWrite({ success, failure }: ITxnRequest): boolean {
  return [...(success ?? []), ...(failure ?? [])].some(
    (op) => op.request_put !== undefined || op.request_delete_range !== undefined,
  );
}

/** What etcd takes no part of: `--max-txn-ops`, and keys that one transaction writes twice (`checkIntervals`). */
export function invalidityOf({ compare, success, failure }: ITxnRequest): string | undefined {
  for (const ops of [success ?? [], failure ?? []]) {
    if (Math.max(ops.length, compare?.length ?? 0) > opsMax)
      return 'etcdserver: too many operations in txn request';
    const puts = ops.flatMap(({ request_put: put }) => (put === undefined ? [] : [textOf(put.key)]));
    const isDoomed = (key: string): boolean =>
      ops.some(({ request_delete_range: range }) => {
        if (range === undefined) return false;
        const start = textOf(range.key);
        return range.range_end === undefined ? key === start : key >= start && key < textOf(range.range_end);
      });
    if (new Set(puts).size < puts.length || puts.some(isDoomed))
      return 'etcdserver: duplicate key given in txn request';
  }
  return undefined;
}

/** Reads that do not ask the leader first: answered by whatever the member has. */
export function isSerializable({ success, failure }: ITxnRequest): boolean {
  const isSo = (op: IRequestOp): boolean => op.request_range?.serializable === true;
  const ops = [...(success ?? []), ...(failure ?? [])];
  return ops.length > 0 && ops.every(isSo);
}

export function textOf(bytes: Buffer | string | undefined): string {
  return Buffer.from(bytes ?? '').toString('latin1');
}

function keysOf(history: readonly Version[], revision: number): Map<string, Version> {
  const keys = new Map<string, Version>();
  for (const version of history) {
    if (version.mod > revision) break;
    if (version.isTombstone === true) keys.delete(version.key);
    else keys.set(version.key, version);
  }
  return keys;
}

function holds(compare: ICompare, keys: ReadonlyMap<string, Version>): boolean {
  const found = keys.get(textOf(compare.key));
  if (compare.target === 'Value') {
    if (compare.result !== 'Equal')
      throw new Error(`The model of etcd compares no values by '${compare.result}'`);
    return found?.value.equals(Buffer.from(compare.value ?? '')) === true;
  }
  if (compare.target === 'Create')
    return isSo(compare.result, found?.create ?? 0, Number(compare.create_revision));
  if (compare.target === 'Mod') return isSo(compare.result, found?.mod ?? 0, Number(compare.mod_revision));
  throw new Error(`The model of etcd does not compare '${compare.target}'`);
}

function isSo(result: ICompare['result'], actual: number, expected: number): boolean {
  if (result === 'Equal') return actual === expected;
  if (result === 'Less') return actual < expected;
  if (result === 'Greater') return actual > expected;
  throw new Error(`The model of etcd has no comparison '${result}'`);
}

function range(
  keys: ReadonlyMap<string, Version>,
  request: IRangeRequest,
): { readonly kvs: IKeyValue[]; readonly more: boolean } {
  const start = textOf(request.key);
  const isKeyOnly = request.keys_only === true;
  if (request.range_end === undefined) {
    const found = keys.get(start);
    return { kvs: found === undefined ? [] : [toKv(found, isKeyOnly)], more: false };
  }
  const end = textOf(request.range_end);
  const minCreate = Number(request.min_create_revision ?? 0);
  // 0 is no bound, as in etcd.
  const maxCreate = Number(request.max_create_revision ?? 0) || Number.POSITIVE_INFINITY;
  let found = [...keys.values()].filter(
    ({ key, create }) => key >= start && key < end && create >= minCreate && create <= maxCreate,
  );
  // The map has them by creation; etcd's own order is by key.
  if (request.sort_target !== 'Create') found.sort((a, b) => (a.key < b.key ? -1 : 1));
  const limit = Number(request.limit ?? 0);
  const more = limit > 0 && found.length > limit;
  if (more) found = found.slice(0, limit);
  return { kvs: found.map((version) => toKv(version, isKeyOnly)), more };
}
