/** gzip (RFC 1952) by Node's zlib, off the event loop. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { WeftError } from '../../core/errors.ts';
import type { Compression } from '../../core/ports/compression.ts';

/** Strict, and a byte order mark is a character like any other. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const pack = promisify(gzip);
const unpack = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip);

export class GzipCompression implements Compression {
  readonly name = 'gzip';

  async compress(bytes: Uint8Array): Promise<Uint8Array> {
    return await pack(bytes);
  }

  async expand(bytes: Uint8Array, bytesMax: number): Promise<string> {
    try {
      return utf8.decode(await unpack(bytes, { maxOutputLength: bytesMax }));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new WeftError('bad-snapshot', `Cannot use the snapshot: a part of it does not unpack: ${why}`);
    }
  }
}
