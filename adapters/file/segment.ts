/**
 * Segment files: `<20 digits of the first sequence>.log`. The first frame of each is its header, which carries the
 * format, the log's identity, and where the segment before it ends. Whatever that one holds beyond is no part of the
 * log, for ever: that is how bytes whose sync has failed are ruled out, also if the disk brings them back.
 */
import { z } from 'zod';
import { WeftError } from '../../core/errors.ts';
import type { LogId } from '../../core/model/ids.ts';
import { damagedError } from './errors.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import { decodeFrame, encodeFrame, frameBytesMax } from './frame.ts';
import { decimal } from './head.ts';

/** The version of the directory's layout: changes with anything that an older weft would misread. */
const format = 1;

export interface SegmentHeader {
  readonly path: string;
  /** Sequence of its first entry. */
  readonly first: number;
  /** 32 hexadecimal digits; two segments never share one, also where one has taken the other's name. */
  readonly id: string;
  readonly logId: LogId;
  /** Where the log goes on from the segment before to this one, bytes; 0 in the first segment. */
  readonly previousEnd: number;
  /** Checksum of the frame before, in the segment before; 0 in the first segment. */
  readonly previous: number;
  /** Where the header's own frame ends, bytes, and its checksum. */
  readonly end: number;
  readonly checksum: number;
}

const payloadSchema = z.object({
  format: z.number(),
  logId: z.string().regex(/^[0-9a-f]{32}$/),
  previousEnd: z.number().int().nonnegative(),
});

export function segmentPath(directory: string, first: number): string {
  return `${directory}/${decimal(first)}.log`;
}

/** First sequences of the segments in a directory, ascending. */
export async function listSegments(fileSystem: FileSystem, directory: string): Promise<number[]> {
  const names = await fileSystem.list(directory);
  return names
    .flatMap((name) => /^([0-9]{20})\.log$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Makes a segment that holds nothing but its header, durably, under its name or not at all. It replaces one of the same
 * name: that one then has no durable entry.
 */
export async function createSegment(
  fileSystem: FileSystem,
  directory: string,
  header: Pick<SegmentHeader, 'first' | 'id' | 'logId' | 'previousEnd' | 'previous'>,
): Promise<SegmentHeader> {
  const { first, id, logId, previousEnd, previous } = header;
  const payload = Buffer.from(JSON.stringify({ format, logId, previousEnd }));
  const { bytes, checksum } = encodeFrame({
    kind: 'segment',
    sequence: first,
    base: 0,
    id,
    payload,
    previous,
  });
  const path = segmentPath(directory, first);
  const draftPath = `${path}.tmp`;
  const file = await fileSystem.open(draftPath, 'create');
  try {
    await writeFully(file, bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await fileSystem.rename(draftPath, path);
  await fileSystem.syncDirectory(directory);
  return { path, first, id, logId, previousEnd, previous, end: bytes.length, checksum };
}

/** @throws WeftError `log-damaged`, `unknown-version`; system errors */
export async function readSegmentHeader(file: OpenFile, path: string, first: number): Promise<SegmentHeader> {
  const bytes = Buffer.alloc(frameBytesMax);
  const length = await file.read(bytes, 0);
  const decoding = decodeFrame(bytes.subarray(0, length), 0);
  if (decoding.type === 'short') throw damagedError(path, 0, 'the file ends in the middle of its header');
  if (decoding.type === 'bad') throw damagedError(path, 0, decoding.reason);
  const { frame } = decoding;
  if (frame.kind !== 'segment') throw damagedError(path, 0, 'it does not begin with a header');
  if (frame.sequence !== first)
    throw damagedError(path, 0, `it is the segment of ${frame.sequence}, under another name`);
  const payload = payloadSchema.safeParse(parseJson(frame.payload));
  if (!payload.success) throw damagedError(path, 0, 'its header cannot be understood');
  if (payload.data.format !== format) throw unknownFormat(path, payload.data.format);
  return {
    path,
    first,
    id: frame.id,
    logId: payload.data.logId as LogId,
    previousEnd: payload.data.previousEnd,
    previous: frame.previous,
    end: frame.length,
    checksum: frame.checksum,
  };
}

/** Writes all of the bytes, however little the system takes at a time. */
export async function writeFully(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const written = await file.write(bytes.subarray(done), position + done);
    if (written === 0) throw Object.assign(new Error('EIO: write took no bytes'), { code: 'EIO' });
    done += written;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    // Undefined passes no schema; the caller says what that means.
    return undefined;
  }
}

function unknownFormat(path: string, found: number): WeftError {
  return new WeftError(
    'unknown-version',
    `${path} has format ${found} and this version of weft reads format ${format}: upgrade weft on this machine`,
  );
}
