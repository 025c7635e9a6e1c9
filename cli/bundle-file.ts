/** Bundles and exports as files: compressed lines, written so that nothing is overwritten and nothing half done is left. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import type { ExportLine } from '../core/bundle/export.ts';
import type { BundleLine } from '../core/bundle/lines.ts';
import { badFile, bundleKind, type FileKind } from '../core/bundle/read.ts';
import { bundleBytes } from '../core/bundle/write.ts';
import { WeftError } from '../core/errors.ts';
import type { Streams } from './context.ts';

type Lines = AsyncIterable<BundleLine | ExportLine>;

/** Only the owner reads it: it holds what the log's users wrote. */
const bundleMode = 0o600;

/**
 * Writes a bundle and makes it durable.
 *
 * @throws WeftError `file-failed` when there is a file of that name or it cannot be written; what `lines` throws. Nothing
 *   is left of a file that could not be finished
 */
export async function writeBundleFile(
  path: string,
  lines: Lines,
  header?: 'bundle' | 'export',
): Promise<void> {
  const file = await open(path, 'wx', bundleMode).catch((error: unknown) => {
    throw fileFailed(`Cannot write ${path}`, error);
  });
  try {
    for await (const chunk of compressed(lines, header)) await write(file, path, chunk);
    await file.sync();
  } catch (error) {
    await unlink(path);
    throw error;
  } finally {
    await file.close();
  }
}

/** Writes a bundle to standard output. @throws UsageError where that is a terminal */
export async function writeBundleOut(streams: Streams, lines: Lines): Promise<void> {
  for await (const chunk of compressed(lines)) await streams.bytes(chunk);
}

/** The bytes of a file's lines. @throws WeftError `file-failed`, `bad-bundle` or `bad-export` */
export async function* readBundleFile(
  path: string,
  kind: Pick<FileKind<never>, 'name' | 'badCode'> = bundleKind,
): AsyncGenerator<Uint8Array, void, void> {
  const file = createReadStream(path);
  const plain = createGunzip();
  // The error of the one that failed is what its reader is told.
  file.on('error', (error) => plain.destroy(error));
  try {
    yield* file.pipe(plain) as AsyncIterable<Uint8Array>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') throw badFile(kind, 'it was cut short; take it anew', error);
    if (code?.startsWith('Z_') === true)
      throw badFile(kind, 'it is not compressed as one, or was altered', error);
    throw fileFailed(`Cannot read ${path}`, error);
  } finally {
    file.destroy();
    plain.destroy();
  }
}

async function* compressed(
  lines: Lines,
  header?: 'bundle' | 'export',
): AsyncGenerator<Uint8Array, void, void> {
  const source = Readable.from(bundleBytes(lines, header), { objectMode: false });
  const zip = createGzip();
  source.on('error', (error) => zip.destroy(error));
  try {
    yield* source.pipe(zip) as AsyncIterable<Uint8Array>;
  } finally {
    source.destroy();
    zip.destroy();
  }
}

async function write(file: FileHandle, path: string, chunk: Uint8Array): Promise<void> {
  try {
    await file.writeFile(chunk);
  } catch (error) {
    throw fileFailed(`Cannot write ${path}`, error);
  }
}

const advice: Readonly<Record<string, string>> = {
  EEXIST: 'there is one already; remove it or give another name with -o',
  ENOENT: 'no such file or folder',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  ENOSPC: 'the disk is full',
};

function fileFailed(what: string, cause: unknown): WeftError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new WeftError('file-failed', `${what}: ${advice[code ?? ''] ?? message}`, { cause });
}
