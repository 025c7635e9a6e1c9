/**
 * The `floor` file: up to where the log was trimmed. One line, with a checksum of its own. It is written beside and renamed
 * into its place, synced, so it is never torn; one that cannot be read is damage.
 *
 * Everything at or behind the floor is no part of the log any more, whatever files still hold it: segments that lie wholly
 * behind it are removed once the floor is durable, those that a crash or a power failure has left are removed by the next
 * trim or opening. The floor's checksum is that of the last trimmed entry's frame, so by the chain of checksums it still
 * says which log this is a part of.
 */
import { crc32 } from 'node:zlib';
import type { LogId } from '../../core/model/ids.ts';
import { decimal, hexadecimal } from './head.ts';
import type { Place } from './position.ts';

/** The place of the last entry that was trimmed, and the log that it was in. */
export interface Floor extends Place {
  readonly logId: LogId;
}

const mark = 'weft-floor 1';

/** Longer than any floor. */
export const floorBytesMax = 128;

export function formatFloor({ logId, sequence, checksum }: Floor): string {
  const text = `${mark} ${logId} ${decimal(sequence)} ${hexadecimal(checksum)}`;
  return `${text} ${hexadecimal(crc32(text))}\n`;
}

/** Undefined for bytes that are no floor. */
export function parseFloor(bytes: Uint8Array): Floor | undefined {
  const text = Buffer.from(bytes).toString('latin1');
  const match = /^(weft-floor 1 ([0-9a-f]{32}) ([0-9]{20}) ([0-9a-f]{8})) ([0-9a-f]{8})\n$/.exec(text);
  if (match === null) return undefined;
  const [, checked = '', logId, sequence, checksum = '', sum] = match;
  if (hexadecimal(crc32(checked)) !== sum) return undefined;
  return { logId: logId as LogId, sequence: Number(sequence), checksum: Number.parseInt(checksum, 16) };
}
