/**
 * Reads the entries of a segment by their numbers, in batches that are bounded by weight, each fetched by requests that are
 * all under way at once. No listing of names is needed: the segment's own node says how many were made.
 */

import type { WeftError } from '../../core/errors.ts';
import type { LogEntry } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { damaged, trimmed } from '../log-faults.ts';
import type { Channel } from './channel.ts';
import { isTrimmed, placeText, readFloor } from './floor.ts';
import { sequenceOf } from './keys.ts';
import { batchBytesTarget, batchEntriesFirst, batchEntriesMax } from './limits.ts';
import { entryOf, gone, type LogScope, toPosition } from './transactions.ts';

/** Which number of which segment is to be read next. */
export interface Cursor {
  readonly segment: number;
  readonly next: number;
}

/** Undefined stands for a number that something foreign has taken. */
type Slot = LogEntry | undefined;

/**
 * The entries from the cursor on, up to what was there when it began; gives back where it ended.
 *
 * @throws ZookeeperCallError; WeftError `log-trimmed`, `log-mismatch`, `log-damaged`
 */
export async function* readSegment(
  scope: LogScope,
  channel: Channel,
  cursor: Cursor,
  signal: CancelSignal,
): AsyncGenerator<LogEntry, Cursor> {
  const { segment } = cursor;
  const stat = await channel.exists(scope.paths.segment(segment), signal);
  if (stat === undefined) throw await missing(scope, channel, cursor, signal);
  /** What is asked for next, and the first of what is waited for. */
  let { next } = cursor;
  let first = next;
  const take = (size: number): Promise<Slot[]> => {
    const end = Math.min(next + size, stat.creations);
    const numbers = Array.from({ length: Math.max(end - next, 0) }, (_, index) => next + index);
    next = Math.max(end, next);
    const slots = Promise.all(numbers.map((number) => readSlot(scope, channel, segment, number, signal)));
    // A consumer that stops early never asks for what is under way; one that goes on meets its error below.
    slots.catch(() => undefined);
    return slots;
  };
  let ahead = take(batchEntriesFirst);
  for (;;) {
    const slots = await ahead;
    if (slots.length === 0) return { segment, next };
    const gap = slots.indexOf(undefined);
    if (gap >= 0) await assertForeign(scope, channel, { segment, sequence: first + gap }, signal);
    first += slots.length;
    const entries = slots.filter((slot) => slot !== undefined);
    ahead = take(fittingSize(entries));
    yield* entries;
  }
}

async function readSlot(
  scope: LogScope,
  channel: Channel,
  segment: number,
  sequence: number,
  signal: CancelSignal,
): Promise<Slot> {
  const node = await channel.read(scope.paths.entry(segment, sequence), signal);
  if (node === undefined) return undefined;
  const { id, bytes } = entryOf(scope, segment, sequence, node);
  return { position: toPosition({ segment, sequence, id }), id, bytes };
}

/**
 * A number without an entry: too late, if it was trimmed; harmless, if a foreign child was made under the segment, which
 * uses one up; else an entry is lost. What can be either of the last two is refused. Behind the floor there must be as many
 * numbers missing as there are foreign children that were made after the entry at the floor.
 *
 * @throws WeftError `log-trimmed`, `log-damaged`, `log-mismatch`
 */
async function assertForeign(
  scope: LogScope,
  channel: Channel,
  place: { readonly segment: number; readonly sequence: number },
  signal: CancelSignal,
): Promise<void> {
  const path = scope.paths.segment(place.segment);
  const found = await channel.children(path, signal);
  const floor = await readFloor(scope, channel, signal);
  if (isTrimmed(place, floor)) throw trimmed(scope.url, placeText(place));
  if (found === undefined) throw await gone(scope, channel, signal);
  const isFloorHere = floor.mark.segment === place.segment;
  const start = isFloorHere ? floor.mark.sequence + 1 : 0;
  const entries = found.names.filter((name) => (sequenceOf(name) ?? -1) >= start);
  const foreign = found.names.filter((name) => sequenceOf(name) === undefined);
  const stats = await Promise.all(foreign.map((name) => channel.exists(`${path}/${name}`, signal)));
  const later = stats.filter((stat) => stat !== undefined && (!isFloorHere || stat.czxid > floor.czxid));
  if (later.length > 0 && later.length === found.stat.creations - start - entries.length) return;
  throw damaged(scope.url, `nodes below ${path} were deleted`);
}

/** What to throw where a segment is not there. @throws ZookeeperCallError */
async function missing(
  scope: LogScope,
  channel: Channel,
  cursor: Cursor,
  signal: CancelSignal,
): Promise<WeftError> {
  const { segment, next: sequence } = cursor;
  const floor = await readFloor(scope, channel, signal);
  // The floor's own segment stays.
  if (segment < floor.mark.segment) return trimmed(scope.url, placeText({ segment, sequence }));
  return await gone(scope, channel, signal);
}

/** How many entries like these make a batch of the weight that is wanted. */
export function fittingSize(entries: readonly { readonly bytes: Uint8Array }[]): number {
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
  const fitting = Math.floor((batchBytesTarget * entries.length) / Math.max(bytes, 1));
  return Math.min(Math.max(fitting, 1), batchEntriesMax);
}
