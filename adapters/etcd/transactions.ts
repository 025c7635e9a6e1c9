/**
 * The requests that the adapter sends, and what their answers say. Every one of them is a transaction that first compares
 * the log's identity, so that a store that was wiped or swapped can neither be written to nor believed.
 */

import type { IKeyValue, IRequestOp, ITxnRequest, ITxnResponse } from 'etcd3';
import type { EntryRef, Position } from '../../core/log/event-log.ts';
import { genesis } from '../../core/log/event-log.ts';
import { isRandomId, type LogId } from '../../core/model/ids.ts';
import { damaged, mismatch } from '../log-faults.ts';
import type { LogKeys } from './keys.ts';
import { formatLogId, parseLogId } from './keys.ts';

/** What the log is and where it lies: enough to build and check every request. */
export interface LogScope {
  readonly keys: LogKeys;
  readonly logId: LogId;
  /** The store's URL, for messages. */
  readonly url: string;
}

/** Where the log ended at the revision of an answer. */
export interface LogHead {
  /** Of the last entry. */
  readonly position: Position;
  /** Its revision; 0 when there is none. */
  readonly revision: number;
  /** Appends since genesis. */
  readonly count: number;
}

type Comparison = NonNullable<ITxnRequest['compare']>[number];

function sameLog({ keys, logId }: LogScope): Comparison {
  return { key: keys.logId, target: 'Value', result: 'Equal', value: formatLogId(logId) };
}

/** Reads, all at one revision, linearizable (etcd does so for transactions that write nothing). */
export function fencedRead(scope: LogScope, ops: readonly IRequestOp[]): ITxnRequest {
  return {
    compare: [sameLog(scope)],
    success: [...ops],
    failure: [readKey(scope.keys.logId)],
  };
}

export function appendRequest(scope: LogScope, ref: EntryRef, bytes: Uint8Array): ITxnRequest {
  const key = scope.keys.entry(ref);
  return {
    compare: [sameLog(scope), { key, target: 'Create', result: 'Equal', create_revision: 0 }],
    success: [
      { request_put: { key, value: Buffer.from(bytes) } },
      { request_put: { key: scope.keys.head, value: Buffer.from(ref.id) } },
    ],
    failure: [readKey(scope.keys.logId), readKey(key), readKey(scope.keys.floor)],
  };
}

/** Moves the floor on, if it is still what was read. @param modRevision of its key then, 0 where there was none */
export function floorRequest(scope: LogScope, floor: EntryMark, modRevision: number | string): ITxnRequest {
  const { floor: key, logId } = scope.keys;
  return {
    compare: [sameLog(scope), { key, target: 'Mod', result: 'Equal', mod_revision: modRevision }],
    success: [{ request_put: { key, value: Buffer.from(toPosition(floor.revision, floor.id)) } }],
    failure: [readKey(logId)],
  };
}

/** Deletes the keys of some entries, if none of them was created beyond the floor; one that is gone is no hindrance. */
export function deleteRequest(scope: LogScope, keys: readonly Buffer[], floor: EntryMark): ITxnRequest {
  const behind = (key: Buffer): Comparison => {
    return { key, target: 'Create', result: 'Less', create_revision: floor.revision + 1 };
  };
  return {
    compare: [sameLog(scope), ...keys.map(behind)],
    success: keys.map((key) => ({ request_delete_range: { key } })),
    failure: [readKey(scope.keys.logId)],
  };
}

/** Writes beside the log, whatever is there. */
export function fencedWrite(scope: LogScope, ops: readonly IRequestOp[]): ITxnRequest {
  return { compare: [sameLog(scope)], success: [...ops], failure: [readKey(scope.keys.logId)] };
}

/** Writes the identity if the place is empty; whichever author comes first wins, and all read what is there. */
export function genesisRequest(keys: LogKeys, logId: LogId): ITxnRequest {
  return {
    compare: [
      { key: keys.logId, target: 'Create', result: 'Equal', create_revision: 0 },
      { key: keys.head, target: 'Create', result: 'Equal', create_revision: 0 },
    ],
    success: [{ request_put: { key: keys.logId, value: formatLogId(logId) } }],
    failure: [readKey(keys.logId)],
  };
}

/** Removes the log of that identity and all that lies beside it, at once. */
export function discardRequest(scope: LogScope): ITxnRequest {
  const { keys } = scope;
  const ranges = [keys.watched, keys.snapshots, keys.beats].map(({ start, end }) => ({
    key: start,
    range_end: end,
  }));
  return {
    compare: [sameLog(scope)],
    success: [{ key: keys.logId }, { key: keys.floor }, ...ranges].map((range) => ({
      request_delete_range: range,
    })),
    failure: [readKey(keys.logId)],
  };
}

export function readKey(key: Buffer): IRequestOp {
  return { request_range: { key } };
}

/** The keys found by the range at `index` of a transaction's operations. */
export function kvsOf(answer: ITxnResponse, index: number): readonly IKeyValue[] {
  return answer.responses[index]?.response_range.kvs ?? [];
}

/** The store's revision at which the transaction was carried out. */
export function revisionOf(answer: ITxnResponse): number {
  return Number(answer.header.revision);
}

/** @throws WeftError `log-mismatch` when the store holds another log, or none */
export function assertFence(scope: LogScope, answer: ITxnResponse): void {
  if (!answer.succeeded) assertIdentity(scope, kvsOf(answer, 0)[0]);
}

/** @throws WeftError `log-mismatch` */
export function assertIdentity(scope: LogScope, found: IKeyValue | undefined): void {
  const logId = found === undefined ? undefined : parseLogId(found.value);
  if (logId === scope.logId) return;
  throw mismatch(scope, logId === undefined ? 'it holds no log now' : `it holds the log ${logId} now`);
}

/**
 * The revision of an entry's key.
 *
 * @throws WeftError `log-damaged` when the key was written a second time: readers before and after would differ
 */
export function entryRevision(scope: LogScope, kv: IKeyValue): number {
  if (kv.create_revision !== kv.mod_revision) {
    throw damaged(scope.url, `the key ${kv.key.toString()} was overwritten at revision ${kv.mod_revision}`);
  }
  return Number(kv.create_revision);
}

/** @throws WeftError `log-damaged` when something else wrote over the head */
export function headOf(scope: LogScope, kv: IKeyValue | undefined): LogHead {
  if (kv === undefined) return { position: genesis, revision: 0, count: 0 };
  const id = kv.value.toString('latin1');
  if (!isRandomId(id)) throw damaged(scope.url, `the key ${kv.key.toString()} names no entry`);
  const revision = Number(kv.mod_revision);
  return { position: toPosition(revision, id), revision, count: Number(kv.version) };
}

/**
 * The create revision and the id of an entry, `1234:9f…`. The revision alone orders; the id tells an entry from one that
 * another history of the store (a backup, a wiped one) has at the same revision.
 */
export function toPosition(revision: number, id: string): Position {
  return `${revision}:${id}` as Position;
}

export interface EntryMark {
  /** 0 for genesis. */
  readonly revision: number;
  readonly id: string;
}

/** Undefined when the text is no position of this adapter. */
export function parsePosition(position: Position): EntryMark | undefined {
  if (position === genesis) return { revision: 0, id: '' };
  const match = /^([1-9][0-9]{0,15}):([0-9a-f]{32})$/.exec(position);
  const revision = Number(match?.[1]);
  return match?.[2] !== undefined && Number.isSafeInteger(revision) ? { revision, id: match[2] } : undefined;
}
