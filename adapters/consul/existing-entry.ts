/** What an append does where the key under its id is there already. */

import type { EntryDraft, Position } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { conflict, damaged } from '../log-faults.ts';
import type { StoredKey } from './answers.ts';
import type { Connection } from './connection.ts';
import { type Floor, floorOf, isTrimmed } from './floor.ts';
import { readFenced } from './reads.ts';
import { forget } from './sweep.ts';
import { findKey, type LogScope, positionById, toPosition, writtenOnce } from './transactions.ts';

/**
 * Where the entry is. Undefined when it is not in the log any more and may be put once more: an entry that was trimmed is
 * forgotten for that, where whoever trimmed it has not come to it.
 *
 * @throws ConsulCallError; WeftError `entry-conflict`, `log-damaged`, `log-mismatch`
 */
export async function findExisting(
  scope: LogScope,
  connection: Connection,
  draft: EntryDraft,
  signal: CancelSignal,
): Promise<Position | undefined> {
  const read = async (key: string) => await readWithFloor(scope, connection, key, signal);
  const byId = await read(scope.keys.id(draft));
  if (byId.stored === undefined) return undefined;
  const mark = positionById(scope, byId.stored);
  if (isTrimmed(mark, byId.floor)) {
    await forget({ scope, connection, floor: byId.floor }, [byId.stored], signal);
    return undefined;
  }
  const entryKey = scope.keys.entry(mark.segment, draft.id);
  const entry = await read(entryKey);
  if (entry.stored === undefined) {
    if (isTrimmed(mark, entry.floor)) return undefined;
    throw damaged(scope.url, `the key ${entryKey} is gone`);
  }
  writtenOnce(scope, entry.stored);
  if (entry.stored.value.equals(draft.bytes)) return toPosition(mark);
  throw conflict(scope.url, draft.id);
}

interface FoundKey {
  readonly stored: StoredKey | undefined;
  readonly floor: Floor;
}

/** One key, and the floor at the same state of the store. @throws ConsulCallError; WeftError `log-mismatch` */
export async function readWithFloor(
  scope: LogScope,
  connection: Connection,
  key: string,
  signal: CancelSignal,
): Promise<FoundKey> {
  const found = await readFenced(scope, connection, [key, scope.keys.floor], signal);
  return { stored: findKey(found, key), floor: floorOf(scope, findKey(found, scope.keys.floor)) };
}
