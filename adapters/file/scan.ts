/** Reading frames one behind the other, each checked against the one before. */
import type { OpenFile } from './file-system.ts';
import { type DecodedFrame, decodeFrame, frameBytesMax } from './frame.ts';
import type { Place } from './position.ts';

export interface ScanRange {
  /** Where the first frame begins, and where the last one must have ended, bytes. */
  readonly start: number;
  readonly limit: number;
  /** Sequence of the last entry before, and checksum of the last frame before. */
  readonly after: Place;
}

export interface ScanResult {
  /** Where the last good frame ends, bytes. */
  readonly end: number;
  /** Sequence of the last good entry and checksum of the last good frame. */
  readonly last: Place;
  /** Why there are no more good frames although the limit is not reached. */
  readonly problem?: string;
}

type Visit = (frame: DecodedFrame, offset: number) => void;

/** Visits the good entry frames of a range in order; the payload of each is valid during its visit only. */
export async function scanFrames(
  file: OpenFile,
  range: ScanRange,
  pageBytesMax: number,
  visit: Visit,
): Promise<ScanResult> {
  const pageLength = Math.max(pageBytesMax, frameBytesMax);
  const page = Buffer.allocUnsafe(Math.max(Math.min(pageLength, range.limit - range.start), 1));
  let end = range.start;
  let last = range.after;
  while (end < range.limit) {
    const start = end;
    const wanted = Math.min(page.length, range.limit - start);
    const bytes = page.subarray(0, await file.read(page.subarray(0, wanted), start));
    const run = scanPage(bytes, last, (frame, at) => visit(frame, start + at));
    end = start + run.end;
    last = run.last;
    if (run.problem !== undefined) return { end, last, problem: run.problem };
    // What is left of the page is the beginning of a frame; a page holds the largest, so the next one shows it whole.
    const isLastPage = bytes.length < wanted || start + wanted === range.limit;
    if (isLastPage && end < range.limit) return { end, last, problem: 'it ends in the middle of a frame' };
  }
  return { end, last };
}

/** The good frames at the beginning of some bytes. */
function scanPage(bytes: Buffer, after: Place, visit: Visit): ScanResult {
  let end = 0;
  let last = after;
  for (;;) {
    const decoding = decodeFrame(bytes, end);
    if (decoding.type === 'short') return { end, last };
    if (decoding.type === 'bad') return { end, last, problem: decoding.reason };
    const { frame } = decoding;
    const problem = misfit(frame, last);
    if (problem !== undefined) return { end, last, problem };
    visit(frame, end);
    last = { sequence: frame.sequence, checksum: frame.checksum };
    end += frame.length;
  }
}

/** Why a frame cannot follow the last one; undefined when it does. */
function misfit(frame: DecodedFrame, last: Place): string | undefined {
  if (frame.kind !== 'entry') return 'a segment header stands in its middle';
  if (frame.sequence !== last.sequence + 1)
    return `entry ${frame.sequence} stands where ${last.sequence + 1} belongs`;
  return frame.previous === last.checksum
    ? undefined
    : `entry ${frame.sequence} does not follow from the one before it`;
}
