/** Compression that compresses nothing, at once and in one process: for simulated time. */
import { WeftError } from '../../core/errors.ts';
import { decodeUtf8 } from '../../core/lib/utf8.ts';
import type { Compression } from '../../core/ports/compression.ts';

export class PlainCompression implements Compression {
  readonly name = 'plain';

  async compress(bytes: Uint8Array): Promise<Uint8Array> {
    return bytes.slice();
  }

  async expand(bytes: Uint8Array, bytesMax: number): Promise<string> {
    const text = bytes.length <= bytesMax ? decodeUtf8(bytes) : undefined;
    if (text !== undefined) return text;
    throw new WeftError(
      'bad-snapshot',
      `Cannot use the snapshot: a part of it has more than ${bytesMax} bytes, or is no text`,
    );
  }
}
