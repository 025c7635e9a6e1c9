/** What the cases of the log's contract compare with, and by. */
import assert from 'node:assert/strict';
import { isWeftError } from '../../core/errors.ts';
import type { LogEntry, Position } from '../../core/log/event-log.ts';

/** An entry in a form that compares and prints well. */
export function plain(entry: LogEntry | undefined): { position: Position; id: string; bytes: string } {
  assert.ok(entry !== undefined);
  return { position: entry.position, id: entry.id, bytes: Buffer.from(entry.bytes).toString('base64') };
}

/** Bytes that differ from page to page and with the size. */
export function patterned(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let index = 0; index < size; index++) bytes[index] = (index * 31 + (index >> 8) + size) & 0xff;
  return bytes;
}

export async function rejectsWith(
  promise: Promise<unknown>,
  ...codes: Parameters<typeof isWeftError>[1][]
): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(
    codes.some((code) => isWeftError(error, code)),
    `expected ${codes.join(' or ')}, got ${String(error)}`,
  );
}
