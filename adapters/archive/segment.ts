/**
 * The archive's files: their names, and their lines. Pure.
 *
 * `SERIES-CUT-LOG-FIRST.open` is the one that is being written; `SERIES-CUT-LOG-FIRST-LAST.gz` one that is complete. The
 * numbers are the ordinals of its first and last line. A *series* is one history: where it parts from what was archived
 * before, the next series begins, and what older ones have counts below its *cut* alone.
 *
 * The first line of a file is `weft archive 1`. Every other is `CRC ORDINAL MARK TEXT`, the CRC-32 (IEEE 802.3) over what
 * follows it. So one can read it with `zcat`, and tell a line that is torn or altered from one that is whole.
 */
import { crc32 } from 'node:zlib';
import type { LogId } from '../../core/model/ids.ts';
import type { ArchiveLine } from '../../core/ports/archive.ts';

export interface Series {
  readonly number: number;
  readonly cut: number;
  readonly logId: LogId;
}

/** `last` is absent in the name of one that is being written. */
export interface SegmentName {
  readonly series: Series;
  readonly first: number;
  readonly last?: number;
}

const seriesDigits = 6;
const ordinalDigits = 16;
const nameShape = /^([0-9]{6})-([0-9]{16})-([0-9a-f]{32})-([0-9]{16})(?:-([0-9]{16}))?\.(open|gz)$/;
const lineShape = /^([0-9a-f]{8}) (([1-9][0-9]{0,15}) ([0-9a-f]{16}) (.*))$/s;

export const segmentHead = 'weft archive 1\n';

export function nameOf({ series: { number, cut, logId }, first, last }: SegmentName): string {
  const begin = `${decimal(number, seriesDigits)}-${decimal(cut, ordinalDigits)}-${logId}-${decimal(first, ordinalDigits)}`;
  return last === undefined ? `${begin}.open` : `${begin}-${decimal(last, ordinalDigits)}.gz`;
}

/** Undefined for a file that is not the archive's. */
export function parseName(name: string): SegmentName | undefined {
  const [, number, cut, logId, first, last, ending] = nameShape.exec(name) ?? [];
  if (first === undefined || (last === undefined) !== (ending === 'open')) return undefined;
  const series = { number: Number(number), cut: Number(cut), logId: logId as LogId };
  return { series, first: Number(first), ...(last === undefined ? {} : { last: Number(last) }) };
}

export function encodeLine({ ordinal, mark, text }: ArchiveLine): Buffer {
  const body = Buffer.from(`${ordinal} ${mark} ${text}\n`);
  return Buffer.concat([Buffer.from(`${checksum(body.subarray(0, -1))} `), body]);
}

export interface ReadLines {
  /** The good lines, in their order. */
  readonly lines: readonly ArchiveLine[];
  /** Where the last of them ends, bytes; 0 where not even the head is there. */
  readonly end: number;
  /** Something stands between good lines, or before them, that is none. */
  readonly isDamaged: boolean;
}

/** The lines of a file. What follows the last good one is its torn end, and no damage. */
export function decodeLines(bytes: Buffer): ReadLines {
  const lines: ArchiveLine[] = [];
  let [end, isDamaged, isBad] = [0, false, false];
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, start);
    if (newline < 0) break;
    const line = start === 0 ? 'head' : decodeLine(bytes.subarray(start, newline));
    const isGood =
      start === 0 ? bytes.subarray(0, newline + 1).equals(Buffer.from(segmentHead)) : line !== undefined;
    start = newline + 1;
    if (!isGood) {
      isBad = true;
      continue;
    }
    if (typeof line === 'object') lines.push(line);
    isDamaged ||= isBad;
    end = start;
  }
  return { lines, end, isDamaged };
}

function decodeLine(bytes: Buffer): ArchiveLine | undefined {
  const [, crc, body, ordinal, mark, text] = lineShape.exec(bytes.toString('utf8')) ?? [];
  if (crc === undefined || body === undefined || mark === undefined || text === undefined) return undefined;
  return checksum(bytes.subarray(9)) === crc ? { ordinal: Number(ordinal), mark, text } : undefined;
}

function checksum(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}

function decimal(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
