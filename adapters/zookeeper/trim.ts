/**
 * Trimming: the floor is moved, which is the trim, and then what lies behind it is deleted, the oldest first. Who dies
 * in between leaves nodes that count for nothing; the next trim deletes them, whoever makes it and however far it goes.
 * Any number of hosts may do both at once: a transaction that is refused says that another one has got on.
 */
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Calls } from './calls.ts';
import type { Channel } from './channel.ts';
import { ZookeeperCallError, zkCode } from './errors.ts';
import { type Floor, floorRequest, readFloor, standingOf } from './floor.ts';
import { isBucketName, segmentOf, sequenceOf } from './keys.ts';
import { sweepEntries, trimTriesMax } from './limits.ts';
import {
  assertFresh,
  damaged,
  type EntryMark,
  entryOf,
  gone,
  type LogScope,
  removalOps,
} from './transactions.ts';

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
  for (let start = 0; start < numbers.length; start += sweepEntries) {
    const batch = numbers.slice(start, start + sweepEntries);
    const nodes = await Promise.all(
      batch.map((number) => channel.read(scope.paths.entry(segment, number), signal)),
    );
    const ops = batch.flatMap((sequence, index) => {
      const node = nodes[index];
      if (node === undefined) return [];
      const { id, base } = entryOf(scope, segment, sequence, node);
      return removalOps(scope, { segment, sequence, id }, { id, base });
    });
    if (ops.length === 0) continue;
    const outcome = await channel.multi(ops, signal);
    if (outcome.type === 'done') continue;
    const refused = ops[outcome.index]?.path ?? '';
    if (outcome.code !== zkCode.noNode) {
      throw damaged(scope.url, `the node ${refused} cannot be deleted (code ${outcome.code})`);
    }
    // Of each two the first is an entry's, which another host may delete; the second's was deleted by something foreign.
    const lone = outcome.index % 2 === 1 ? ops[outcome.index - 1] : undefined;
    if (lone !== undefined) await channel.multi([lone], signal);
    return;
  }
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
