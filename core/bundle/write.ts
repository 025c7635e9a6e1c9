/** Lines of a bundle, or of an export, to bytes, one line at a time, with the end that lets a reader see that nothing is missing. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { assert } from '../lib/assert.ts';
import { encodeUtf8 } from '../lib/utf8.ts';

/**
 * The bytes of a bundle, or of another file of its form, before compression, a line in each chunk.
 *
 * @param lines the header first, the entries last, what they go on from before them
 * @param header the type of its first line
 */
export async function* bundleBytes(
  lines: AsyncIterable<{ readonly type: string }>,
  header: 'bundle' | 'export' = 'bundle',
): AsyncGenerator<Uint8Array, void, void> {
  const digest = sha256.create();
  let count = 0;
  let entries = 0;
  for await (const line of lines) {
    assert((count === 0) === (line.type === header), 'a file has one header, its first line');
    const bytes = bytesOf(line);
    digest.update(bytes);
    count += 1;
    if (line.type === 'entry') entries += 1;
    yield bytes;
  }
  yield bytesOf({ type: 'end', lines: count, entries, sha256: bytesToHex(digest.digest()) });
}

/** JSON escapes newlines and lone surrogates inside of texts, so a line is one line and has a form in UTF-8. */
function bytesOf(line: object): Uint8Array {
  return encodeUtf8(`${JSON.stringify(line)}\n`);
}
