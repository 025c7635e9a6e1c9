/** Which lines of which files are this host's history. Pure: what older series have counts below the cut of the next. */
import type { ArchiveSpan } from '../../core/ports/archive.ts';
import type { Series } from './segment.ts';

/** A file of the archive. */
export interface Segment {
  readonly name: string;
  readonly series: Series;
  /** What it holds, ascending. */
  readonly spans: readonly ArchiveSpan[];
  readonly bytes: number;
  readonly isSealed: boolean;
}

/** A file, and the ordinals of it that count. */
export interface Piece extends ArchiveSpan {
  readonly segment: Segment;
}

/** By their first ordinals. */
export function piecesOf(segments: readonly Segment[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let limit = Number.POSITIVE_INFINITY;
  for (const number of [...new Set(segments.map(({ series }) => series.number))].sort((a, b) => b - a)) {
    const own = segments.filter(({ series }) => series.number === number);
    for (const segment of own) {
      for (const { first, last } of segment.spans) {
        if (first < limit) pieces.push({ segment, first, last: Math.min(last, limit - 1) });
      }
    }
    limit = Math.min(limit, own[0]?.series.cut ?? limit);
  }
  return pieces.sort((a, b) => a.first - b.first);
}

/** Those that touch made one. @param pieces by their first ordinals */
export function mergedSpans(pieces: readonly ArchiveSpan[]): readonly ArchiveSpan[] {
  const spans: ArchiveSpan[] = [];
  for (const { first, last } of pieces) {
    const before = spans.at(-1);
    if (before !== undefined && first <= before.last + 1)
      spans[spans.length - 1] = { first: before.first, last: Math.max(before.last, last) };
    else spans.push({ first, last });
  }
  return spans;
}

/** The stretches that some ascending ordinals are. */
export function spansOf(ordinals: readonly number[]): readonly ArchiveSpan[] {
  return mergedSpans(ordinals.map((ordinal) => ({ first: ordinal, last: ordinal })));
}

/** The file that goes first when there is no room: of the oldest series, the lowest ordinals. */
export function oldestOf(segments: readonly Segment[]): Segment | undefined {
  const sealed = segments.filter(({ isSealed }) => isSealed);
  return sealed.sort(
    (a, b) => a.series.number - b.series.number || (a.spans[0]?.first ?? 0) - (b.spans[0]?.first ?? 0),
  )[0];
}
