/** Finding an entry by its id. */

import type { EntryRef } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { damaged } from '../log-faults.ts';
import type { Channel } from './channel.ts';
import { readFloor } from './floor.ts';
import { parseSegment, sequenceOf } from './keys.ts';
import { type EntryMark, entryOf, type LogScope } from './transactions.ts';

export interface FoundEntry {
  readonly mark: EntryMark;
  readonly bytes: Buffer;
  /** It lies behind the floor, so it counts as gone; its nodes are waiting to be deleted. */
  readonly isTrimmed: boolean;
}

/**
 * Where the entry of an id is. Its id and its node were made by one transaction, so they have the same zxid, by which the
 * numbers of the segment are sorted. The channel must be fresh.
 *
 * @throws ZookeeperCallError; WeftError `log-damaged`
 */
export async function locate(
  scope: LogScope,
  channel: Channel,
  ref: EntryRef,
  signal: CancelSignal,
): Promise<FoundEntry | undefined> {
  const { paths, url } = scope;
  const index = await channel.read(paths.id(ref), signal);
  if (index === undefined) return undefined;
  const segment = parseSegment(index.data);
  if (segment === undefined) throw damaged(url, `the node ${paths.id(ref)} was written over`);
  const { czxid } = index.stat;
  const sequence = await search(scope, channel, segment, czxid, signal);
  const node =
    sequence === undefined ? undefined : await channel.read(paths.entry(segment, sequence), signal);
  if (sequence === undefined || node === undefined) {
    // Trimmed meanwhile: then its id went in the same moment.
    if ((await channel.exists(paths.id(ref), signal))?.czxid !== czxid) return undefined;
    throw damaged(url, `no entry in segment ${segment} was made together with the id ${ref.id}`);
  }
  const entry = entryOf(scope, segment, sequence, node);
  if (entry.id !== ref.id) throw damaged(url, `the entry ${ref.id} is not where its id says`);
  const floor = await readFloor(scope, channel, signal);
  return { mark: { segment, sequence, id: ref.id }, bytes: entry.bytes, isTrimmed: czxid <= floor.czxid };
}

/** Among the numbers that are there: foreign children and trimming leave gaps of any length. */
async function search(
  scope: LogScope,
  channel: Channel,
  segment: number,
  czxid: string,
  signal: CancelSignal,
): Promise<number | undefined> {
  const found = await channel.children(scope.paths.segment(segment), signal);
  const numbers = (found?.names ?? []).flatMap((name) => sequenceOf(name) ?? []).sort((a, b) => a - b);
  let [low, high] = [0, numbers.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const number = numbers[middle] ?? 0;
    const stat = await channel.exists(scope.paths.entry(segment, number), signal);
    if (stat?.czxid === czxid) return number;
    // What is gone meanwhile was trimmed, so what is wanted lies behind it or is gone too.
    if (stat === undefined || stat.czxid < czxid) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}
