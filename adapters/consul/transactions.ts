/**
 * The transactions that the adapter sends, and what their answers say. Consul carries out all of one or nothing, at one
 * index; one that only reads sees one state of the store.
 *
 * An append is conditional on the open segment: its key holds the log's id, so that a store that was wiped or swapped can
 * not be written to, and it is overwritten when a segment ends, so that nothing is ever added to an ended one.
 */

import type { EntryDraft, Position } from '../../core/log/event-log.ts';
import { genesis } from '../../core/log/event-log.ts';
import { isRandomId, type LogId } from '../../core/model/ids.ts';
import { damaged, mismatch } from '../log-faults.ts';
import type { StoredKey } from './answers.ts';
import type { KvOperation } from './channel.ts';
import type { LogKeys, PlaceKeys } from './keys.ts';
import { formatLogId, parseLogId } from './keys.ts';
import type { TransactionAnswer } from './member.ts';

/** What the log is and where it lies: enough to build and check every request. */
export interface LogScope {
  readonly keys: LogKeys;
  readonly logId: LogId;
  /** The store's URL, for messages. */
  readonly url: string;
}

/** The segment that entries are added to, as it was last seen. */
export interface OpenSegment {
  readonly segment: number;
  /** Modify index of its key: as long as it has that, the segment is open. */
  readonly index: number;
}

/** The first two operations of an append; their refusals mean what they are for. */
const openOperation = 0;
const idOperation = 1;

/** @param ending a random mark, where this append is to be the last one of its segment */
export function appendOperations(
  scope: LogScope,
  open: OpenSegment,
  draft: EntryDraft,
  ending?: string,
): KvOperation[] {
  const { keys } = scope;
  const { segment } = open;
  const name = String(segment);
  return [
    { Verb: 'check-index', Key: keys.open, Index: open.index },
    create(keys.id(draft), name),
    create(keys.entry(segment, draft.id), draft.bytes),
    { Verb: 'set', Key: keys.head, Value: encode(`${name} ${draft.id}`) },
    ...(ending === undefined ? [] : endOperations(keys, segment, ending)),
  ];
}

/** @param mark random, the same at the end of the segment and at the start of the next */
export function endOperations(keys: LogKeys, segment: number, mark: string): KvOperation[] {
  return [
    { Verb: 'set', Key: keys.open, Value: encode(String(segment + 1)) },
    create(keys.segment(segment).end, mark),
    create(keys.segment(segment + 1).start, mark),
  ];
}

/** Why an append was refused, none of it carried out. */
export type AppendRefusal = 'segment-ended' | 'exists' | 'occupied';

export function refusalOf(answer: TransactionAnswer & { type: 'refused' }): AppendRefusal {
  const refused = new Set(answer.refusals.map(({ opIndex }) => opIndex));
  // An entry that exists stays refused in every later segment.
  if (refused.has(idOperation)) return 'exists';
  return refused.has(openOperation) ? 'segment-ended' : 'occupied';
}

/** Writes the identity and the first segment if the place is empty; whichever author comes first wins. */
export function genesisOperations(place: PlaceKeys, logId: LogId, mark: string): KvOperation[] {
  const keys = place.of(logId);
  return [
    create(place.identity, formatLogId(logId)),
    create(keys.open, '0'),
    create(keys.head, ''),
    create(keys.segment(0).start, mark),
  ];
}

/** Reads the identity with the other keys, at one state of the store. A missing key is missing in the answer. */
export function fencedRead(scope: LogScope, keys: readonly string[]): KvOperation[] {
  // `get` would refuse the transaction for a missing key. No key of ours begins with another one.
  return [scope.keys.identity, ...keys].map((key) => ({ Verb: 'get-tree', Key: key }));
}

/** Removes the log and all that lies beside it. @param index modify index of the identity, which was read */
export function discardOperations({ identity, folders }: LogKeys, index: number): KvOperation[] {
  return [
    { Verb: 'check-index', Key: identity, Index: index },
    { Verb: 'delete-cas', Key: identity, Index: index },
    ...folders.map((Key): KvOperation => ({ Verb: 'delete-tree', Key })),
  ];
}

export function findKey(results: readonly StoredKey[], key: string): StoredKey | undefined {
  return results.find((stored) => stored.key === key);
}

/** @throws WeftError `log-mismatch` when the store holds another log, or none */
export function assertIdentity(scope: LogScope, found: StoredKey | undefined): void {
  const logId = found === undefined ? undefined : parseLogId(found.value);
  if (logId === scope.logId) return;
  throw mismatch(scope, logId === undefined ? 'it holds no log now' : `it holds the log ${logId} now`);
}

/**
 * The index of a key that is written once.
 *
 * @throws WeftError `log-damaged` when it was written a second time: readers before and after would differ
 */
export function writtenOnce(scope: LogScope, stored: StoredKey): number {
  if (stored.createIndex !== stored.modifyIndex) {
    throw damaged(scope.url, `the key ${stored.key} was overwritten at index ${stored.modifyIndex}`);
  }
  return stored.createIndex;
}

/** @throws WeftError `log-damaged` when something else wrote over the number, or it is gone from a log that is there */
export function openSegmentOf(scope: LogScope, stored: StoredKey | undefined): OpenSegment {
  return { segment: segmentNumber(scope, scope.keys.open, stored), index: stored?.modifyIndex ?? 0 };
}

/** Of an entry, from the key under its id. @throws WeftError `log-damaged` */
export function positionById(scope: LogScope, stored: StoredKey): EntryMark {
  const index = writtenOnce(scope, stored);
  const id = stored.key.slice(stored.key.lastIndexOf('/') + 1);
  return { index, segment: segmentNumber(scope, stored.key, stored), id };
}

function segmentNumber(scope: LogScope, key: string, stored: StoredKey | undefined): number {
  const text = stored?.value.toString('latin1') ?? '';
  if (/^(0|[1-9][0-9]{0,11})$/.test(text)) return Number(text);
  throw damaged(scope.url, `the key ${key} holds no number of a segment`);
}

/** @throws WeftError `log-damaged` when something else wrote over the head, or it is gone from a log that is there */
export function headOf(scope: LogScope, stored: StoredKey | undefined): EntryMark {
  const text = stored?.value.toString('latin1');
  if (stored !== undefined && text === '') return genesisMark;
  const [, segment, id] = /^(0|[1-9][0-9]{0,11}) ([0-9a-f]{32})$/.exec(text ?? '') ?? [];
  if (stored === undefined || id === undefined || !isRandomId(id))
    throw damaged(scope.url, `the key ${scope.keys.head} names no entry`);
  return { index: stored.modifyIndex, segment: Number(segment), id };
}

export interface EntryMark {
  /** 0 for genesis. */
  readonly index: number;
  readonly segment: number;
  readonly id: string;
}

export const genesisMark: EntryMark = { index: 0, segment: 0, id: '' };

/**
 * Index, segment and id of an entry, `1234:7:9f…`. The index alone orders; the segment is where a tail goes on; the id
 * tells an entry from one that another history of the store (a backup, a wiped one) has at the same index.
 */
export function toPosition(mark: EntryMark): Position {
  return mark.index === 0 ? genesis : (`${mark.index}:${mark.segment}:${mark.id}` as Position);
}

/** Undefined when the text is no position of this adapter. */
export function parsePosition(position: Position): EntryMark | undefined {
  if (position === genesis) return genesisMark;
  const match = /^([1-9][0-9]{0,15}):(0|[1-9][0-9]{0,11}):([0-9a-f]{32})$/.exec(position);
  const index = Number(match?.[1]);
  if (match?.[3] === undefined || !Number.isSafeInteger(index)) return undefined;
  return { index, segment: Number(match[2]), id: match[3] };
}

/** An index of 0 with `cas`: only if the key is not there. */
function create(key: string, value: string | Uint8Array): KvOperation {
  return { Verb: 'cas', Key: key, Index: 0, Value: encode(value) };
}

export function encode(value: string | Uint8Array): string {
  return Buffer.from(value).toString('base64');
}
