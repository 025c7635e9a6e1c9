/**
 * Lines gathered to blocks, each of which becomes a chunk of its own: whole lines, so that a block can be read without
 * the others, and few enough that what compression could at worst add still fits a chunk.
 */

import { WeftError } from '../errors.ts';
import { assert } from '../lib/assert.ts';
import { writeUtf8 } from '../lib/utf8.ts';
import { recordBytesMax, snapshotChunkBytesMax } from '../limits.ts';

/** Room for what a block holds before it is compressed. Deflate adds 5 bytes to 16 KiB, gzip 18 to all (RFC 1951, 1952). */
export const blockBytesMax: number = snapshotChunkBytesMax - 8 * 1024;
/** No object of the state takes more than the record that made it, in a form that is longer by its names and stamps. */
const lineBytesMax = 2 * recordBytesMax;
const newline = 0x0a;

/** Blocks of lines, each ended by a newline. A block is valid until the next one is asked for. */
export function* blocksOf(lines: Iterable<string>): IterableIterator<Uint8Array> {
  const block = new Uint8Array(blockBytesMax + lineBytesMax * 3);
  let end = 0;
  for (const line of lines) {
    assert(line.length <= lineBytesMax, 'a line of a snapshot fits its bound');
    const lineEnd = writeUtf8(line, block, end);
    assert(lineEnd - end < lineBytesMax, 'a line of a snapshot fits its bound in UTF-8 too');
    block[lineEnd] = newline;
    if (lineEnd + 1 > blockBytesMax) {
      yield block.slice(0, end);
      block.copyWithin(0, end, lineEnd + 1);
      end = lineEnd + 1 - end;
    } else {
      end = lineEnd + 1;
    }
  }
  if (end > 0) yield block.slice(0, end);
}

/** The lines of a block's text. @throws WeftError `bad-snapshot` */
export function linesOf(text: string): readonly string[] {
  if (!text.endsWith('\n')) {
    throw new WeftError('bad-snapshot', 'Cannot use the snapshot: a part of it does not end with a line');
  }
  return text.slice(0, -1).split('\n');
}

assert(lineBytesMax <= blockBytesMax, 'a block holds the longest line');
