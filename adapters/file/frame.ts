/**
 * Frames: what a segment file consists of. Pure.
 *
 * ```
 * offset  size  field (little endian)
 *      0     4  "weft"
 *      4     1  version of this layout, 1
 *      5     1  kind: 1 segment header, 2 entry
 *      6     2  zero
 *      8     4  payload length, bytes
 *     12     4  checksum of the frame before, which chains all frames of a log to one another
 *     16     8  sequence: of the entry, or of the first entry of the segment
 *     24     8  base
 *     32    16  id: of the entry, or of the segment
 *     48     n  payload
 *   48+n     4  CRC-32 (IEEE 802.3) of all the above
 * ```
 *
 * A checksum stands, by the chain, for everything before its frame: two logs that agree in the checksum of a sequence
 * agree (but for one chance in four thousand million) in all entries up to it.
 */
import { crc32 } from 'node:zlib';
import { assert } from '../../core/lib/assert.ts';
import { entryBytesMax } from '../../core/limits.ts';

export type FrameKind = 'segment' | 'entry';

export interface Frame {
  readonly kind: FrameKind;
  readonly sequence: number;
  readonly base: number;
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly payload: Uint8Array;
  /** Checksum of the frame before. */
  readonly previous: number;
}

export interface DecodedFrame extends Frame {
  /** Bytes of the whole frame. */
  readonly length: number;
  readonly checksum: number;
}

export type Decoding =
  | { readonly type: 'frame'; readonly frame: DecodedFrame }
  /** The bytes end before the frame does; it needs so many. */
  | { readonly type: 'short'; readonly length: number }
  | { readonly type: 'bad'; readonly reason: string };

const magic = Buffer.from('weft');
const layoutVersion = 1;
const kindCodes: Readonly<Record<FrameKind, number>> = { segment: 1, entry: 2 };
export const frameHeadBytes = 48;
const checksumBytes = 4;
export const frameBytesMax: number = frameHeadBytes + entryBytesMax + checksumBytes;

/** A frame's bytes and its checksum. */
export function encodeFrame(frame: Frame): { readonly bytes: Buffer; readonly checksum: number } {
  assert(frame.payload.length <= entryBytesMax, 'a payload is within its bound');
  assert(/^[0-9a-f]{32}$/.test(frame.id), 'an id is 32 hexadecimal digits');
  const end = frameHeadBytes + frame.payload.length;
  const bytes = Buffer.alloc(end + checksumBytes);
  magic.copy(bytes);
  bytes.writeUInt8(layoutVersion, 4);
  bytes.writeUInt8(kindCodes[frame.kind], 5);
  bytes.writeUInt32LE(frame.payload.length, 8);
  bytes.writeUInt32LE(frame.previous, 12);
  bytes.writeBigUInt64LE(BigInt(frame.sequence), 16);
  bytes.writeBigUInt64LE(BigInt(frame.base), 24);
  bytes.write(frame.id, 32, 'hex');
  bytes.set(frame.payload, frameHeadBytes);
  const checksum = crc32(bytes.subarray(0, end));
  bytes.writeUInt32LE(checksum, end);
  return { bytes, checksum };
}

/** The frame that begins at `offset`. Its payload is a view of `bytes`. */
export function decodeFrame(bytes: Buffer, offset: number): Decoding {
  const present = bytes.length - offset;
  if (present < frameHeadBytes) return { type: 'short', length: frameHeadBytes };
  if (!bytes.subarray(offset, offset + 4).equals(magic))
    return bad('it does not begin with the mark of a frame');
  const payloadLength = bytes.readUInt32LE(offset + 8);
  if (payloadLength > entryBytesMax) return bad(`its length field says ${payloadLength}`);
  const length = frameHeadBytes + payloadLength + checksumBytes;
  if (present < length) return { type: 'short', length };
  const checksum = bytes.readUInt32LE(offset + length - checksumBytes);
  if (crc32(bytes.subarray(offset, offset + length - checksumBytes)) !== checksum)
    return bad('its checksum is wrong');
  if (bytes.readUInt8(offset + 4) !== layoutVersion)
    return bad(`its layout is of version ${bytes.readUInt8(offset + 4)}`);
  const kind = kindOf(bytes.readUInt8(offset + 5));
  if (kind === undefined) return bad(`its kind is ${bytes.readUInt8(offset + 5)}`);
  const frame: DecodedFrame = {
    kind,
    sequence: Number(bytes.readBigUInt64LE(offset + 16)),
    base: Number(bytes.readBigUInt64LE(offset + 24)),
    id: bytes.toString('hex', offset + 32, offset + frameHeadBytes),
    payload: bytes.subarray(offset + frameHeadBytes, offset + length - checksumBytes),
    previous: bytes.readUInt32LE(offset + 12),
    length,
    checksum,
  };
  return { type: 'frame', frame };
}

/** Whether a whole entry frame of a sequence from `sequence` on begins anywhere in the bytes: what a torn end never has. */
export function hasFrameFrom(bytes: Buffer, sequence: number): boolean {
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    const decoding = decodeFrame(bytes, at);
    if (decoding.type === 'frame' && decoding.frame.kind === 'entry' && decoding.frame.sequence >= sequence)
      return true;
  }
  return false;
}

function kindOf(code: number): FrameKind | undefined {
  if (code === kindCodes.segment) return 'segment';
  return code === kindCodes.entry ? 'entry' : undefined;
}

function bad(reason: string): Decoding {
  return { type: 'bad', reason };
}
