/**
 * The transactions that the adapter sends, what a position is, and what is said when the store is not as it must be.
 * Everything lies below a node that is named for the log: where that is gone, the store was wiped or swapped.
 */

import type { WeftError } from '../../core/errors.ts';
import type { EntryRef, Position } from '../../core/log/event-log.ts';
import { genesis } from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { damaged, mismatch } from '../log-faults.ts';
import type { Channel, MultiOp, NodeData } from './channel.ts';
import {
  type EntryData,
  firstSegment,
  formatEntry,
  formatLogId,
  formatSegment,
  type LogKeys,
  type LogPaths,
  parseEntry,
  parseLogId,
  parseSegment,
} from './keys.ts';

/** What the log is and where it lies: enough to build and check every request. */
export interface LogScope {
  readonly keys: LogKeys;
  readonly paths: LogPaths;
  readonly logId: LogId;
  /** The store's URL, for messages. */
  readonly url: string;
}

/** Which entry, and where it is. */
export interface EntryMark {
  /** 0 for genesis. */
  readonly segment: number;
  /** Of the node in its segment; -1 for genesis. */
  readonly sequence: number;
  readonly id: string;
}

export const genesisMark: EntryMark = { segment: 0, sequence: -1, id: '' };

/** The operations of an append, by what their refusal means. */
export const appendOps = { open: 0, id: 1, entry: 2 } as const;

/** Puts the entry into the segment that is open, unless its id is there or the segment is open no more. */
export function appendRequest(
  scope: LogScope,
  segment: number,
  ref: EntryRef,
  bytes: Uint8Array,
): readonly MultiOp[] {
  const { paths } = scope;
  return [
    { type: 'check', path: paths.open, version: segment },
    { type: 'create', path: paths.id(ref), data: formatSegment(segment) },
    { type: 'create', path: paths.newEntry(segment), data: formatEntry(ref, bytes), sequential: true },
  ];
}

/** Takes an entry away that lies behind the floor, and its id with it: neither goes without the other. */
export function removalOps({ paths }: LogScope, mark: EntryMark, ref: EntryRef): readonly MultiOp[] {
  return [
    { type: 'delete', path: paths.entry(mark.segment, mark.sequence) },
    { type: 'delete', path: paths.id(ref) },
  ];
}

/** Opens the segment after this one, if it is the one that is open. */
export function rollRequest(scope: LogScope, segment: number): readonly MultiOp[] {
  const { paths } = scope;
  return [
    { type: 'set', path: paths.open, data: formatSegment(segment + 1), version: segment },
    { type: 'create', path: paths.segment(segment + 1) },
  ];
}

/** Writes an empty log if the place has none; whichever author comes first wins. The prefix must exist. */
export function genesisRequest(keys: LogKeys, logId: LogId): readonly MultiOp[] {
  const paths = keys.log(logId);
  const open = formatSegment(firstSegment);
  return [
    { type: 'create', path: keys.logId, data: formatLogId(logId) },
    { type: 'create', path: paths.root },
    { type: 'create', path: paths.open, data: open },
    // So that its version is the segment's number from the start.
    { type: 'set', path: paths.open, data: open, version: 0 },
    { type: 'create', path: paths.ids },
    { type: 'create', path: paths.segments },
    { type: 'create', path: paths.segment(firstSegment) },
  ];
}

/**
 * Waits until this channel shows all that was done before the call, by anyone: a transaction that changes nothing goes
 * through the leader and a majority, and its answer comes behind what was done before it.
 *
 * @throws ZookeeperCallError; WeftError `log-mismatch` when the store holds another log, or none
 */
export async function assertFresh(scope: LogScope, channel: Channel, signal: CancelSignal): Promise<void> {
  const outcome = await channel.multi([{ type: 'check', path: scope.paths.open }], signal);
  if (outcome.type === 'refused') throw await gone(scope, channel, signal);
}

/** Number of the segment that takes entries. @throws ZookeeperCallError; WeftError `log-mismatch`, `log-damaged` */
export async function readOpen(
  scope: LogScope,
  channel: Channel,
  signal: CancelSignal,
  watch = false,
): Promise<number> {
  const node = await channel.read(scope.paths.open, signal, watch);
  if (node === undefined) throw await gone(scope, channel, signal);
  const segment = parseSegment(node.data);
  if (segment === undefined || segment !== node.stat.version) {
    throw damaged(scope.url, `the node ${scope.paths.open} was written over`);
  }
  return segment;
}

/**
 * What to throw where a node that every log has is not there. Nodes are deleted one by one, so that a log which is being
 * wiped is seen with half of them gone.
 *
 * @throws ZookeeperCallError
 */
export async function gone(scope: LogScope, channel: Channel, signal: CancelSignal): Promise<WeftError> {
  const found = await channel.read(scope.keys.logId, signal);
  const other = found === undefined ? undefined : parseLogId(found.data);
  if (other === undefined) return mismatch(scope, 'it holds no log now');
  const isSame = other === scope.logId;
  return mismatch(scope, isSame ? 'nodes of it were deleted' : `it holds the log ${other} now`);
}

/** @throws WeftError `log-damaged` when the node is none of ours, or was written a second time */
export function entryOf(scope: LogScope, segment: number, sequence: number, node: NodeData): EntryData {
  const path = scope.paths.entry(segment, sequence);
  if (node.stat.version !== 0) throw damaged(scope.url, `the node ${path} was written over`);
  const entry = parseEntry(node.data);
  if (entry === undefined) throw damaged(scope.url, `the node ${path} holds no entry`);
  return entry;
}

/**
 * The segment of an entry, its number in it, and its id: `1:0:9f…`. Segment and number alone order; the id tells an entry
 * from one that another history of the store (a backup, a wiped one) has under the same numbers, down to the zxid.
 */
export function toPosition(mark: EntryMark): Position {
  return mark.segment === 0 ? genesis : (`${mark.segment}:${mark.sequence}:${mark.id}` as Position);
}

/** Undefined when the text is no position of this adapter. */
export function parsePosition(position: Position): EntryMark | undefined {
  if (position === genesis) return genesisMark;
  const match = /^([1-9][0-9]{0,9}):(0|[1-9][0-9]{0,9}):([0-9a-f]{32})$/.exec(position);
  if (match?.[3] === undefined) return undefined;
  return { segment: Number(match[1]), sequence: Number(match[2]), id: match[3] };
}
