/**
 * The `head` file: up to where the log is durable. One line of fixed width that is written over in place after every
 * commit, with a checksum of its own; it is what readers trust and what wakes them.
 *
 * It is never synced: it is a claim about the segments, which are. After a power failure it may be old or torn; the next
 * process to open the log finds that out and takes what the segments hold.
 */
import { crc32 } from 'node:zlib';
import type { LogId } from '../../core/model/ids.ts';

export interface Head {
  readonly logId: LogId;
  /** First sequence of the last segment; names its file. */
  readonly segment: number;
  /** Id of the last segment, 32 hexadecimal digits: tells it from another one under the same name. */
  readonly segmentId: string;
  /** Where the last durable frame ends in the last segment, bytes. */
  readonly end: number;
  /** Sequence of the last durable entry, 0 when there is none. */
  readonly sequence: number;
  /** Checksum of the last durable frame. */
  readonly checksum: number;
  /** `sealed`: the last segment takes no further frame; the next one is begun before anything is written. */
  readonly state: 'open' | 'sealed';
}

const mark = 'weft-log 1';

/** Every line has this length, so that one written over another leaves nothing of it. */
export const headBytes: number = Buffer.byteLength(
  formatHead({
    logId: '0'.repeat(32) as LogId,
    segment: 0,
    segmentId: '0'.repeat(32),
    end: 0,
    sequence: 0,
    checksum: 0,
    state: 'open',
  }),
);

export function formatHead(head: Head): string {
  const fields = [
    mark,
    head.logId,
    decimal(head.segment),
    head.segmentId,
    decimal(head.end),
    decimal(head.sequence),
    hexadecimal(head.checksum),
    head.state.padEnd(6),
  ];
  const text = fields.join(' ');
  return `${text} ${hexadecimal(crc32(text))}\n`;
}

/** Undefined for bytes that are no head: empty, torn or of another kind. */
export function parseHead(bytes: Uint8Array): Head | undefined {
  const text = Buffer.from(bytes).toString('latin1');
  const match =
    /^(weft-log 1 ([0-9a-f]{32}) ([0-9]{20}) ([0-9a-f]{32}) ([0-9]{20}) ([0-9]{20}) ([0-9a-f]{8}) (open {2}|sealed)) ([0-9a-f]{8})\n$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [, checked = '', logId, segment, segmentId = '', end, sequence, checksum, state, sum] = match;
  if (hexadecimal(crc32(checked)) !== sum) return undefined;
  return {
    logId: logId as LogId,
    segment: Number(segment),
    segmentId,
    end: Number(end),
    sequence: Number(sequence),
    checksum: Number.parseInt(checksum ?? '', 16),
    state: state === 'sealed' ? 'sealed' : 'open',
  };
}

export function decimal(value: number): string {
  return String(value).padStart(20, '0');
}

export function hexadecimal(value: number): string {
  return value.toString(16).padStart(8, '0');
}
