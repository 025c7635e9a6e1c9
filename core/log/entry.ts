/** An entry: a batch of records, one line of JSON each, in the order in which their author made them. */
import { WeftError } from '../errors.ts';
import { assert } from '../lib/assert.ts';
import { entryBytesMax, entryRecordsMax, recordBytesMax } from '../limits.ts';

/** Between two lines, not after the last. JSON escapes it inside of texts, so no record holds one. */
const newline = 0x0a;

/**
 * The bytes of an entry.
 *
 * @param records lines as `encodeRecord` gives them; at least one
 * @throws WeftError `too-large` when there are too many or they are too long together
 */
export function encodeEntry(records: readonly Uint8Array[]): Uint8Array {
  assert(records.length > 0, 'an entry has a record');
  if (records.length > entryRecordsMax) {
    throw tooLarge(`it has ${records.length} records and may have ${entryRecordsMax}`);
  }
  const length = records.reduce((sum, record) => sum + record.length + 1, -1);
  if (length > entryBytesMax) throw tooLarge(`it has ${length} bytes and may have ${entryBytesMax}`);
  const bytes = new Uint8Array(length).fill(newline);
  let at = 0;
  for (const record of records) {
    assert(record.length > 0 && !record.includes(newline), 'a record is one line');
    bytes.set(record, at);
    at += record.length + 1;
  }
  return bytes;
}

/**
 * The lines of an entry, whatever bytes it is. No bytes are no records.
 *
 * An entry over its bounds was made by no weft. It counts as one single line, which `decodeRecord` refuses for its
 * length or for the newlines in it: one ordinal and one rejection on every host, however much it holds, and all of its
 * bytes in the running hash.
 */
export function decodeEntry(bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.length === 0) return [];
  if (bytes.length > entryBytesMax) return [bytes];
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
    if (lines.push(bytes.subarray(start, end)) >= entryRecordsMax) return [bytes];
    start = end + 1;
  }
  lines.push(bytes.subarray(start));
  return lines;
}

function tooLarge(why: string): WeftError {
  return new WeftError('too-large', `Cannot append the entry: ${why}; send it in parts`);
}

assert(
  entryBytesMax > recordBytesMax,
  'an oversized entry, taken as one line, must be too long for a record',
);
