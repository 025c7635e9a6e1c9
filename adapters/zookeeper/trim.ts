/**
 * Trimming: the floor is moved, which is the trim, and then what lies behind it is deleted, the oldest first. Who dies
 * in between leaves nodes that count for nothing; the next trim deletes them, whoever makes it and however far it goes.
 * Any number of hosts may do both at once: a transaction that is refused says that another one has got on.
 */

import type { CancelSignal } from '../../core/ports/cancel.ts';
import { damaged } from '../log-faults.ts';
import type { Calls } from './calls.ts';
import { fittingSize } from './catch-up.ts';
import type { Channel } from './channel.ts';
import { ZookeeperCallError, zkCode } from './errors.ts';
import { type Floor, floorRequest, readFloor, standingOf } from './floor.ts';
import { type EntryData, isBucketName, segmentOf, sequenceOf } from './keys.ts';
import { batchEntriesFirst, sweepEntries, trimTriesMax } from './limits.ts';
import { assertFresh, type EntryMark, entryOf, gone, type LogScope, removalOps } from './transactions.ts';

/**
 * Moves the floor to that position, unless it is there or further. Nothing is deleted.
 *
 * @throws ZookeeperCallError; WeftError `log-ahead`, `log-mismatch`, `log-damaged`
 */
export async function moveFloor(
  scope: LogScope,
  calls: Calls,
  channel: Channel,
  upTo: EntryMark,
  signal: CancelSignal,
): Promise<void> {
  await calls.prepare(channel, signal, () => assertFresh(scope, channel, signal));
  for (let left = trimTriesMax; left > 0; left -= 1) {
    const standing = await calls.prepare(channel, signal, () => standingOf(scope, channel, upTo, signal));
    if (standing.type !== 'there') return;
    const request = floorRequest(scope, standing.floor, { mark: upTo, czxid: standing.czxid });
    const outcome = await calls.exchange(channel, () => channel.multi(request, signal));
    if (outcome.type === 'done') return;
    if (outcome.code === zkCode.noNode) {
      throw await calls.prepare(channel, signal, () => gone(scope, channel, signal));
    }
  }
  throw new ZookeeperCallError('not-sent', `others moved the floor ${trimTriesMax} times meanwhile`);
}

/**
 * Deletes what lies behind the floor. May be repeated, and broken off anywhere.
 *
 * @throws ZookeeperCallError; WeftError `log-damaged`
 */
export async function sweep(scope: LogScope, channel: Channel, signal: CancelSignal): Promise<void> {
  const floor = await readFloor(scope, channel, signal);
  const last = floor.mark.segment;
  if (last === 0) return;
  const found = await channel.children(scope.paths.segments, signal);
  const segments = (found?.names ?? [])
    .flatMap((name) => segmentOf(name) ?? [])
    .filter((segment) => segment <= last)
    .sort((a, b) => a - b);
  for (const segment of segments) await sweepSegment(scope, channel, segment, floor, signal);
  await sweepBuckets(scope, channel, signal);
}

async function sweepSegment(
  scope: LogScope,
  channel: Channel,
  segment: number,
  { mark }: Floor,
  signal: CancelSignal,
): Promise<void> {
  const path = scope.paths.segment(segment);
  const end = segment < mark.segment ? Number.POSITIVE_INFINITY : mark.sequence;
  for (;;) {
    const found = await channel.children(path, signal);
    const numbers = (found?.names ?? [])
      .flatMap((name) => sequenceOf(name) ?? [])
      .filter((number) => number <= end)
      .sort((a, b) => a - b);
    if (numbers.length === 0) break;
    await sweepNumbers(scope, channel, segment, numbers, signal);
  }
  // Refused where it is gone, or where something foreign lies in it, which is not ours to delete.
  if (segment < mark.segment) await channel.multi([{ type: 'delete', path }], signal);
}

/** Up to the first transaction that is refused: then the numbers are to be read again. */
async function sweepNumbers(
  scope: LogScope,
  channel: Channel,
  segment: number,
  numbers: readonly number[],
  signal: CancelSignal,
): Promise<void> {
  let size = batchEntriesFirst;
  for (let start = 0; start < numbers.length; ) {
    const batch = numbers.slice(start, start + size);
    start += batch.length;
    const entries = await readEntries(scope, channel, segment, batch, signal);
    if (entries.length === 0) continue;
    size = Math.min(fittingSize(entries), sweepEntries);
    const outcome = await channel.multi(
      entries.flatMap((entry) => removalOps(scope, entry, entry)),
      signal,
    );
    if (outcome.type === 'done') continue;
    const { index, code } = outcome;
    const refused = entries[index >> 1];
    if (refused === undefined || code !== zkCode.noNode) {
      throw damaged(scope.url, `entries of segment ${segment} cannot be deleted (code ${code})`);
    }
    // Of each two the first is the entry, which another host may have deleted; its id goes alone by a foreign hand only.
    const path = scope.paths.entry(segment, refused.sequence);
    if (index % 2 === 1) await channel.multi([{ type: 'delete', path }], signal);
    return;
  }
}

/** Those that are there still. */
async function readEntries(
  scope: LogScope,
  channel: Channel,
  segment: number,
  numbers: readonly number[],
  signal: CancelSignal,
): Promise<readonly (EntryMark & EntryData)[]> {
  const found = await Promise.all(
    numbers.map(async (sequence) => {
      const node = await channel.read(scope.paths.entry(segment, sequence), signal);
      return node === undefined ? [] : [{ segment, sequence, ...entryOf(scope, segment, sequence, node) }];
    }),
  );
  return found.flat();
}

/** An author who finds his bucket gone makes it again. */
async function sweepBuckets(scope: LogScope, channel: Channel, signal: CancelSignal): Promise<void> {
  const found = await channel.children(scope.paths.ids, signal);
  const paths = (found?.names ?? []).filter(isBucketName).map((name) => `${scope.paths.ids}/${name}`);
  const stats = await Promise.all(paths.map((path) => channel.exists(path, signal)));
  for (const [index, path] of paths.entries()) {
    if (stats[index]?.children === 0) await channel.multi([{ type: 'delete', path }], signal);
  }
}
