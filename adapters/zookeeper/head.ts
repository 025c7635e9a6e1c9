/** Finding the last entry. Foreign children of a segment use numbers up, any number of them, behind it too. */
import type { Position } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Channel } from './channel.ts';
import { isTrimmed, readFloor } from './floor.ts';
import { firstSegment, sequenceOf } from './keys.ts';
import { entryOf, type LogScope, readOpen, toPosition } from './transactions.ts';

/**
 * The channel is fresh. What a roll opens meanwhile came after the call: the end of the segment before was the head too.
 * Where the last entry was trimmed, the floor says what it was.
 *
 * @throws ZookeeperCallError; WeftError `log-mismatch`, `log-damaged`
 */
export async function readHead(scope: LogScope, channel: Channel, signal: CancelSignal): Promise<Position> {
  for (let segment = await readOpen(scope, channel, signal); segment >= firstSegment; segment -= 1) {
    const stat = await channel.exists(scope.paths.segment(segment), signal);
    const newest = (stat?.creations ?? 0) - 1;
    const head = await headAt(scope, channel, segment, newest, signal);
    if (head !== undefined) return head;
    // Nothing of ours has the last number. A list of all says at once what a search from number to number would.
    const last = newest < 0 ? -1 : await lastNumber(scope, channel, segment, signal);
    const found = await headAt(scope, channel, segment, last, signal);
    if (found !== undefined) return found;
  }
  return toPosition((await readFloor(scope, channel, signal)).mark);
}

/** Undefined where there is no entry of that number, and was none that has been trimmed. */
async function headAt(
  scope: LogScope,
  channel: Channel,
  segment: number,
  sequence: number,
  signal: CancelSignal,
): Promise<Position | undefined> {
  if (sequence < 0) return undefined;
  const node = await channel.read(scope.paths.entry(segment, sequence), signal);
  const floor = await readFloor(scope, channel, signal);
  if (isTrimmed({ segment, sequence }, floor)) return toPosition(floor.mark);
  if (node === undefined) return undefined;
  return toPosition({ segment, sequence, id: entryOf(scope, segment, sequence, node).id });
}

/** The first of all where there is none: that may have been trimmed. */
async function lastNumber(
  scope: LogScope,
  channel: Channel,
  segment: number,
  signal: CancelSignal,
): Promise<number> {
  const found = await channel.children(scope.paths.segment(segment), signal);
  const numbers = (found?.names ?? []).flatMap((name) => sequenceOf(name) ?? []);
  return numbers.reduce((a, b) => Math.max(a, b), 0);
}
