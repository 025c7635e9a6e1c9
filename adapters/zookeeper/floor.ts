/**
 * How far the log has been trimmed: everything up to the floor is gone, whether its nodes are there still or not.
 *
 * The floor never moves back, and is moved before anything behind it is deleted. So a node is looked at first and the
 * floor after it, on one channel: where the floor has not reached what was missing by then, trimming is not to blame.
 */

import type { Position } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { ahead, damaged, mismatch } from '../log-faults.ts';
import type { Channel, MultiOp } from './channel.ts';
import {
  type EntryMark,
  entryOf,
  genesisMark,
  gone,
  type LogScope,
  parsePosition,
  readOpen,
  toPosition,
} from './transactions.ts';

export interface Floor {
  /** The last entry that was trimmed; genesis when none was. */
  readonly mark: EntryMark;
  /** Of the transaction that had put that entry: every node of a trimmed entry has this one or a lower. */
  readonly czxid: string;
  /** Of its node; undefined while there is none. */
  readonly version: number | undefined;
}

/** Where something lies, without what it is. */
type Place = Pick<EntryMark, 'segment' | 'sequence'>;

/** Where a position lies: before the last entry that was trimmed, at it, or behind it, where it was found. */
export type Standing =
  | { readonly type: 'trimmed' | 'floor'; readonly floor: Floor }
  | { readonly type: 'there'; readonly floor: Floor; readonly czxid: string };

const bottom: Floor = { mark: genesisMark, czxid: '0'.repeat(16), version: undefined };

/** @throws ZookeeperCallError; WeftError `log-damaged` */
export async function readFloor(scope: LogScope, channel: Channel, signal: CancelSignal): Promise<Floor> {
  const { floor: path } = scope.paths;
  const node = await channel.read(path, signal);
  if (node === undefined) return bottom;
  const floor = parseFloor(node.data);
  if (floor === undefined) throw damaged(scope.url, `the node ${path} was written over`);
  return { ...floor, version: node.stat.version };
}

/** Moves the floor, unless somebody has moved it since it was read. */
export function floorRequest(
  scope: LogScope,
  from: Floor,
  to: Pick<Floor, 'mark' | 'czxid'>,
): readonly MultiOp[] {
  const [path, data] = [scope.paths.floor, formatFloor(to)];
  const { version } = from;
  return [version === undefined ? { type: 'create', path, data } : { type: 'set', path, data, version }];
}

export function formatFloor({ mark, czxid }: Pick<Floor, 'mark' | 'czxid'>): Buffer {
  return Buffer.from(`${toPosition(mark)} ${czxid}`);
}

/** Undefined when the data is none of this layout. */
export function parseFloor(data: Buffer): Pick<Floor, 'mark' | 'czxid'> | undefined {
  const match = /^([0-9a-f:]+) ([0-9a-f]{16})$/.exec(data.toString('latin1'));
  const [, position, czxid] = match ?? [];
  const mark = position === undefined ? undefined : parsePosition(position as Position);
  return mark === undefined || czxid === undefined ? undefined : { mark, czxid };
}

/** True for the floor itself and all that lies before it. */
export function isTrimmed(place: Place, { mark }: Floor): boolean {
  return compare(place, mark) <= 0;
}

/** As people may compare it: without the entry's id. */
export function placeText({ segment, sequence }: Place): string {
  return `${segment}:${sequence}`;
}

function compare(one: Place, other: Place): number {
  return one.segment === other.segment ? one.sequence - other.sequence : one.segment - other.segment;
}

/**
 * Where a position lies in the log that is there now. The channel must show at least what the position's owner has seen.
 *
 * @throws ZookeeperCallError; WeftError `log-ahead`, `log-mismatch`, `log-damaged`
 */
export async function standingOf(
  scope: LogScope,
  channel: Channel,
  mark: EntryMark,
  signal: CancelSignal,
): Promise<Standing> {
  const { paths } = scope;
  const { segment, sequence, id } = mark;
  const open = await readOpen(scope, channel, signal);
  const node = segment === 0 ? undefined : await channel.read(paths.entry(segment, sequence), signal);
  const floor = await readFloor(scope, channel, signal);
  const order = compare(mark, floor.mark);
  if (order < 0) return { type: 'trimmed', floor };
  const stranger = `another entry than ${id} is at position ${segment}:${sequence}`;
  if (order === 0) {
    if (floor.mark.id === id) return { type: 'floor', floor };
    throw mismatch(scope, stranger);
  }
  if (node !== undefined) {
    if (entryOf(scope, segment, sequence, node).id !== id) throw mismatch(scope, stranger);
    return { type: 'there', floor, czxid: node.stat.czxid };
  }
  if (segment > open) throw ahead(scope.url, placeText(mark));
  const stat = await channel.exists(paths.segment(segment), signal);
  if (stat === undefined) throw await gone(scope, channel, signal);
  if (segment === open && stat.creations <= sequence) throw ahead(scope.url, placeText(mark));
  throw mismatch(scope, `the entry ${id} is not at position ${segment}:${sequence}, which others follow`);
}
