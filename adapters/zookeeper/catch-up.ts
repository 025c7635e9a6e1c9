/**
 * Reads the entries of a segment by their numbers, in batches that are bounded by weight, each fetched by requests that are
 * all under way at once. No listing of names is needed: the segment's own node says how many were made.
 */
import { WeftError } from '../../core/errors.ts';
import type { LogEntry } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Channel } from './channel.ts';
import { sequenceOf } from './keys.ts';
import { batchBytesTarget, batchEntriesFirst, batchEntriesMax } from './limits.ts';
import { damaged, entryOf, gone, type LogScope, readOpen, toPosition } from './transactions.ts';

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
  if (stat === undefined) throw await missing(scope, channel, segment, signal);
  let { next } = cursor;
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
  let isChecked = false;
  for (;;) {
    const slots = await ahead;
    if (slots.length === 0) return { segment, next };
    if (!isChecked && slots.includes(undefined)) {
      await assertForeign(scope, channel, segment, signal);
      isChecked = true;
    }
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
 * A number without an entry: harmless if a foreign child was made under the segment, which uses one up; an entry is lost if
 * anything was deleted there. What can be either is refused.
 *
 * @throws WeftError `log-damaged`
 */
async function assertForeign(
  scope: LogScope,
  channel: Channel,
  segment: number,
  signal: CancelSignal,
): Promise<void> {
  const path = scope.paths.segment(segment);
  const found = await channel.children(path, signal);
  const isForeign = found?.names.some((name) => sequenceOf(name) === undefined) === true;
  if (isForeign && found?.stat.children === found?.stat.creations) return;
  throw damaged(scope.url, `nodes below ${path} were deleted`);
}

/** What to throw where a segment is not there. @throws ZookeeperCallError */
export async function missing(
  scope: LogScope,
  channel: Channel,
  segment: number,
  signal: CancelSignal,
): Promise<WeftError> {
  const open = await readOpen(scope, channel, signal);
  if (segment >= open) return await gone(scope, channel, signal);
  return new WeftError(
    'log-trimmed',
    `Cannot read the log at ${scope.url} from its segment ${segment}: it has been trimmed; start from a snapshot.`,
    { details: { segment } },
  );
}

/** How many entries like these make a batch of the weight that is wanted. */
function fittingSize(entries: readonly LogEntry[]): number {
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
  const fitting = Math.floor((batchBytesTarget * entries.length) / Math.max(bytes, 1));
  return Math.min(Math.max(fitting, 1), batchEntriesMax);
}
