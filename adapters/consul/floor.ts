/**
 * The floor of the log: the last entry that was trimmed, under a key of its own. It only goes up, by check-and-set.
 *
 * Invariants:
 * - The segment of the floor has ended: the transaction that raises the floor ends it where it is still open. So an entry
 *   that was trimmed and is put once more always goes into a later segment than before, and what is left of the first
 *   time is in nobody's way.
 * - Segments before that of the floor go away whole. That of the floor stays, hidden as far as it lies behind the floor,
 *   so that a tail from the floor finds the entry that it begins behind, and none ever sees a part of a segment vanish.
 * - Whatever is deleted is deleted on condition that the floor is as it was read. So nothing that arrives late deletes
 *   anything in a store that was restored from a backup of before the trim.
 */

import type { Position } from '../../core/log/event-log.ts';
import { damaged } from '../log-faults.ts';
import type { StoredKey } from './answers.ts';
import type { KvOperation } from './channel.ts';
import {
  type EntryMark,
  encode,
  endOperations,
  genesisMark,
  type LogScope,
  type OpenSegment,
  parsePosition,
  toPosition,
} from './transactions.ts';

export interface Floor {
  /** Genesis where nothing was trimmed yet. */
  readonly mark: EntryMark;
  /** Modify index of its key, 0 where there is none. */
  readonly index: number;
}

/** @throws WeftError `log-damaged` when something else wrote over it */
export function floorOf(scope: LogScope, stored: StoredKey | undefined): Floor {
  if (stored === undefined) return { mark: genesisMark, index: 0 };
  const mark = parsePosition(stored.value.toString('latin1') as Position);
  if (mark === undefined || mark.index === 0)
    throw damaged(scope.url, `the key ${stored.key} names no position`);
  return { mark, index: stored.modifyIndex };
}

/** Whether the entry was trimmed. */
export function isTrimmed({ index }: { readonly index: number }, floor: Floor): boolean {
  return index <= floor.mark.index;
}

/** Whether something that follows the position was trimmed. */
export function isBelow({ index }: EntryMark, floor: Floor): boolean {
  return index < floor.mark.index;
}

export interface Raise {
  readonly from: Floor;
  readonly to: EntryMark;
  readonly open: OpenSegment;
  /** Random, for where the segment ends with this. */
  readonly mark: string;
}

/** Refused when the entry is not there, when somebody else has moved the floor, or when the segment has just ended. */
export function raiseOperations({ keys }: LogScope, { from, to, open, mark }: Raise): KvOperation[] {
  const { segment } = to;
  const raise: KvOperation[] = [
    { Verb: 'check-index', Key: `${keys.segment(segment).folder}${to.id}`, Index: to.index },
    { Verb: 'cas', Key: keys.floor, Index: from.index, Value: encode(toPosition(to)) },
  ];
  if (open.segment !== segment) return raise;
  return [
    ...raise,
    { Verb: 'check-index', Key: keys.open, Index: open.index },
    ...endOperations(keys, segment, mark),
  ];
}

/** Place in the list of the operation for the first of the keys or segments. */
export const firstRemoval = 1;

/**
 * Removes keys under ids of entries that were trimmed. A key that is gone is no obstacle, one that was made anew is:
 * that is the entry's second time.
 */
export function forgetOperations(
  scope: LogScope,
  floor: Floor,
  ids: readonly StoredKey[],
): readonly KvOperation[] {
  const removals = ids.map(
    ({ key, modifyIndex }): KvOperation => ({ Verb: 'delete-cas', Key: key, Index: modifyIndex }),
  );
  return [unmoved(scope, floor), ...removals];
}

/** Removes segments that lie behind the floor as a whole. */
export function removeOperations(
  scope: LogScope,
  floor: Floor,
  segments: readonly number[],
): readonly KvOperation[] {
  const removals = segments.map(
    (segment): KvOperation => ({ Verb: 'delete-tree', Key: scope.keys.segment(segment).folder }),
  );
  return [unmoved(scope, floor), ...removals];
}

function unmoved({ keys }: LogScope, { index }: Floor): KvOperation {
  return { Verb: 'check-index', Key: keys.floor, Index: index };
}
