/**
 * The floor: up to where the log was trimmed, as the position of the last trimmed entry under one key.
 *
 * It is put before anything is deleted, and never moves back. So what lies at or behind it is no part of the log any more,
 * whether its key is still there or not, and a key that is missing behind it is no damage. An entry that was trimmed and is
 * put once more by its author has a create revision beyond the floor, which tells it from the one that was trimmed.
 */

import type { IKeyValue } from 'etcd3';
import type { Position } from '../../core/log/event-log.ts';
import { damaged } from '../log-faults.ts';
import { type EntryMark, type LogScope, parsePosition } from './transactions.ts';

/** @throws WeftError `log-damaged` when something else wrote over it */
export function floorOf(scope: LogScope, kv: IKeyValue | undefined): EntryMark {
  if (kv === undefined) return { revision: 0, id: '' };
  const mark = parsePosition(kv.value.toString('latin1') as Position);
  if (mark === undefined || mark.revision === 0)
    throw damaged(scope.url, `the key ${kv.key.toString()} names no entry up to which it was trimmed`);
  return mark;
}
