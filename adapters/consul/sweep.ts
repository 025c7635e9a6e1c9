/**
 * Removes what lies behind the floor, the oldest first. Any number of hosts may do so at once, each may end in the middle,
 * and whoever trims next finds what is left: it asks for what is there, not for what was to be done.
 *
 * Keys under ids go by their index alone, which is their entry's, so that those whose segments are gone are found too.
 * Deletions leave tombstones, which count for the index of what a tail waits for only in the folders that they were in;
 * and these are never folders that a tail ahead of the floor reads.
 */
import { isRandomId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { StoredKey } from './answers.ts';
import type { KvOperation } from './channel.ts';
import type { Connection } from './connection.ts';
import { type Floor, firstRemoval, forgetOperations, isTrimmed, removeOperations } from './floor.ts';
import { idsPerTransaction, listDeadlineMs, segmentsPerTransaction } from './limits.ts';
import type { LogScope } from './transactions.ts';

/** Where to remove, and what of it was trimmed. */
export interface Sweep {
  readonly scope: LogScope;
  readonly connection: Connection;
  readonly floor: Floor;
}

/** Ends early where another host has raised the floor further: that one removes the more. @throws ConsulCallError */
export async function sweep(place: Sweep, signal: CancelSignal): Promise<void> {
  if (place.floor.index === 0) return;
  if (await sweepIds(place, signal)) await sweepSegments(place, signal);
}

/** Removes the keys under these ids. False when the floor has moved. @throws ConsulCallError */
export async function forget(
  { scope, connection, floor }: Sweep,
  ids: readonly StoredKey[],
  signal: CancelSignal,
): Promise<boolean> {
  for (let left = ids; left.length > 0; ) {
    const answer = await connection.repeat(forgetOperations(scope, floor, left), signal);
    if (answer.type === 'done') return true;
    const refused = new Set(answer.refusals.map(({ opIndex }) => opIndex));
    if (refused.size === 0 || refused.has(0)) return false;
    // Those that were made anew meanwhile are no longer ours to remove.
    left = left.filter((_, place) => !refused.has(place + firstRemoval));
  }
  return true;
}

async function sweepIds(place: Sweep, signal: CancelSignal): Promise<boolean> {
  const { scope, connection, floor } = place;
  const buckets = await connection.read(signal, (member, limits) => member.names(scope.keys.ids, limits));
  for (const bucket of buckets.filter((name) => name.endsWith('/')).toSorted()) {
    const { found } = await connection.read(signal, (member, limits) =>
      member.list(bucket, { consistent: true }, { ...limits, deadlineMs: listDeadlineMs }),
    );
    const gone = found
      .filter(({ key, createIndex }) => isIdKey(key) && isTrimmed({ index: createIndex }, floor))
      .toSorted((a, b) => a.createIndex - b.createIndex);
    for (const part of inParts(gone, idsPerTransaction)) {
      if (!(await forget(place, part, signal))) return false;
    }
  }
  return true;
}

async function sweepSegments({ scope, connection, floor }: Sweep, signal: CancelSignal): Promise<void> {
  const { keys } = scope;
  const folders = await connection.read(signal, (member, limits) => member.names(keys.segments, limits));
  const gone = folders
    .flatMap((folder) => keys.segmentOf(folder) ?? [])
    .filter((segment) => segment < floor.mark.segment)
    .toSorted((a, b) => a - b);
  for (const part of inParts(gone, segmentsPerTransaction)) {
    const operations: readonly KvOperation[] = removeOperations(scope, floor, part);
    if ((await connection.repeat(operations, signal)).type === 'refused') return;
  }
}

function isIdKey(key: string): boolean {
  return isRandomId(key.slice(key.lastIndexOf('/') + 1));
}

function* inParts<T>(items: readonly T[], size: number): Generator<readonly T[], void> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
