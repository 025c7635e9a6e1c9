/**
 * One segment of the log as one read of it shows it, in the order of the log. Consul lists in the order of keys.
 *
 * Whichever server answers, what it shows is the store after some write and before the next one, so a segment that is read
 * holds every entry of it up to the last that it holds: none can appear between them later.
 */

import type { EntryId } from '../../core/model/ids.ts';
import { damaged } from '../log-faults.ts';
import type { StoredKey } from './answers.ts';
import { type EntryMark, type LogScope, writtenOnce } from './transactions.ts';

/** Length of the random marks at the ends of segments. */
export const markBytes = 8;

export interface SegmentEntry extends EntryMark {
  readonly id: EntryId;
  readonly bytes: Buffer;
}

export interface Segment {
  /** The mark at its start; undefined when the segment is not there. */
  readonly start: string | undefined;
  /** The mark at its end, also at the start of the next one; undefined while it is open. */
  readonly end: string | undefined;
  /** In the order of the log. */
  readonly entries: readonly SegmentEntry[];
}

/** @throws WeftError `log-damaged` when a key was overwritten, or two entries were written at one index */
export function readSegment(scope: LogScope, segment: number, found: readonly StoredKey[]): Segment {
  const keys = scope.keys.segment(segment);
  const marks = new Map<string, string>();
  const entries: SegmentEntry[] = [];
  for (const stored of found) {
    if (stored.key === keys.start || stored.key === keys.end) {
      marks.set(stored.key, stored.value.toString('latin1'));
      continue;
    }
    const id = keys.entryIdOf(stored.key);
    if (id === undefined) continue;
    entries.push({ index: writtenOnce(scope, stored), segment, id, bytes: stored.value });
  }
  entries.sort((a, b) => a.index - b.index);
  for (const [place, { index }] of entries.entries()) {
    if (index === entries[place - 1]?.index)
      throw damaged(scope.url, `two entries were written at index ${index}`);
  }
  return { start: marks.get(keys.start), end: marks.get(keys.end), entries };
}

/** What a tail knows of the segment that it reads. */
export interface Progress {
  /** The last entry delivered, in this segment or in one before. */
  readonly last: EntryMark;
  /** The segment to read. */
  readonly segment: number;
  /** The mark that this segment must begin with, once known. */
  readonly start: string | undefined;
  /** Entries of this segment up to the last one delivered, once known. */
  readonly delivered: number | undefined;
}

/** Why this is not the segment that the tail has read so far; undefined when it is. */
export function contradictionOf(segment: Segment, progress: Progress): string | undefined {
  const { last, start, delivered } = progress;
  if (segment.start === undefined) return `its segment ${progress.segment} is not there`;
  if (start !== undefined && segment.start !== start) return `its segment ${progress.segment} is another one`;
  const before = segment.entries.filter(({ index }) => index <= last.index);
  if (last.index > 0 && last.segment === progress.segment) {
    const found = before.at(-1);
    if (found?.index !== last.index || found.id !== last.id)
      return `the entry ${last.id} is not at position ${last.index}`;
  }
  if (delivered !== undefined && before.length !== delivered)
    return `there are ${before.length} entries up to position ${last.index} and there were ${delivered}`;
  return undefined;
}
