/**
 * Bytes to lines of a bundle, or of another kind of file in that form, whatever bytes they are. A file that was cut short, altered or made by a newer weft is
 * told apart from one that is whole, and never read as something else.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { z } from 'zod';
import { type ErrorCode, WeftError } from '../errors.ts';
import { decodeUtf8 } from '../lib/utf8.ts';
import { bundleLineBytesMax } from './limits.ts';
import { type BundleLine, bundleFormat, bundleLineSchema, endSchema } from './lines.ts';

const newline = 0x0a;

/** A kind of file: lines of JSON, a header first, an end with a digest last. */
export interface FileKind<L extends { readonly type: string }> {
  /** The type of its header, and what it is called in messages. */
  readonly name: 'bundle' | 'export';
  /** The newest format that is read. */
  readonly format: number;
  /** Of all its lines but the end. */
  readonly schema: z.ZodType<L>;
  readonly badCode: ErrorCode;
  readonly newerCode: ErrorCode;
}

export const bundleKind: FileKind<BundleLine> = {
  name: 'bundle',
  format: bundleFormat,
  schema: bundleLineSchema,
  badCode: 'bad-bundle',
  newerCode: 'newer-bundle',
};

/**
 * The lines of a bundle, header first, its end left out. Whether the file is whole is known only after the last one:
 * whoever must not act on a torn or altered file reads it through before.
 *
 * @param chunks the bytes after decompression, cut anywhere
 * @throws WeftError `bad-bundle`, `newer-bundle`, with the number of the line; what `chunks` throws
 */
export function readBundle(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<BundleLine, void, void> {
  return readLineFile(chunks, bundleKind);
}

/** As `readBundle`, of a file of that kind. */
export async function* readLineFile<L extends { readonly type: string }>(
  chunks: AsyncIterable<Uint8Array>,
  kind: FileKind<L>,
): AsyncGenerator<L, void, void> {
  const digest = sha256.create();
  const bad = (why: string): WeftError => badFile(kind, why);
  let [count, entries, ended] = [0, 0, false];
  for await (const bytes of linesOf(chunks, bad)) {
    const number = count + 1;
    if (ended) throw bad(`line ${number + 1} comes after its end`);
    const value = parse(bytes, number, bad);
    if (number === 1) requireHeader(value, kind);
    if ((value as { readonly type?: unknown }).type === 'end') {
      checkEnd(value, { lines: count, entries, sha256: bytesToHex(digest.digest()) }, bad);
      ended = true;
      continue;
    }
    const line = shaped(value, number, kind);
    if (line.type === kind.name && number > 1) throw bad(`line ${number} is a second header`);
    digest.update(bytes);
    count = number;
    if (line.type === 'entry') entries += 1;
    yield line;
  }
  if (!ended) throw bad(`it ends after ${count} lines without its end: it was cut short; take it anew`);
}

type Bad = (why: string) => WeftError;

/** Lines with their newlines. What follows the last newline is a line cut short. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>, bad: Bad): AsyncGenerator<Uint8Array, void, void> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
      yield joined([...parts, chunk.subarray(start, at + 1)]);
      parts = [];
      length = 0;
      start = at + 1;
    }
    if (start === chunk.length) continue;
    parts.push(chunk.slice(start));
    length += chunk.length - start;
    if (length > bundleLineBytesMax) throw bad(`a line has more than ${bundleLineBytesMax} bytes`);
  }
  if (length > 0) throw bad('its last line is cut short; take it anew');
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function parse(bytes: Uint8Array, number: number, bad: Bad): object {
  const text = decodeUtf8(bytes);
  const value = text === undefined ? undefined : jsonOf(text);
  if (typeof value === 'object' && value !== null) return value;
  throw bad(number === 1 ? 'it does not begin like one' : `line ${number} is no JSON`);
}

/** Undefined for what is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The version before all else: a newer header may have any members. */
function requireHeader(value: object, kind: FileKind<{ readonly type: string }>): void {
  const { type, format, weft } = value as {
    readonly type?: unknown;
    readonly format?: unknown;
    readonly weft?: unknown;
  };
  if (type !== kind.name || typeof format !== 'number') throw badFile(kind, whatElse(type));
  if (format <= kind.format) return;
  const by = typeof weft === 'string' ? ` by weft ${weft.slice(0, 64)}` : '';
  throw new WeftError(
    kind.newerCode,
    `The ${kind.name} has format ${format}, made${by}; this weft reads up to ${kind.format}: use a newer weft`,
  );
}

/** Somebody may have taken the one kind of file for the other. */
function whatElse(type: unknown): string {
  if (type === 'export') return "it is an export: give it to 'weft store import'";
  return type === 'bundle' ? "it is a bundle: give it to 'weft replay'" : 'it does not begin like one';
}

function shaped<L extends { readonly type: string }>(value: object, number: number, kind: FileKind<L>): L {
  const parsed = kind.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw badFile(kind, `line ${number}${path === '' ? '' : `, member ${path},`} does not have its shape`);
}

function checkEnd(
  value: object,
  found: { readonly lines: number; readonly entries: number; readonly sha256: string },
  bad: Bad,
): void {
  const parsed = endSchema.safeParse(value);
  if (!parsed.success) throw bad('its end does not have its shape');
  const { lines, entries, sha256: recorded } = parsed.data;
  if (lines !== found.lines || entries !== found.entries) {
    throw bad(`it has ${found.lines} lines and says ${lines}: lines were lost or added`);
  }
  if (recorded !== found.sha256) throw bad('its digest differs: it was altered after it was made');
}

/** One line on what is wrong with a bundle. */
export function badBundle(why: string, cause?: unknown): WeftError {
  return badFile(bundleKind, why, cause);
}

/** The same of any kind of file. */
export function badFile(
  { name, badCode }: Pick<FileKind<never>, 'name' | 'badCode'>,
  why: string,
  cause?: unknown,
): WeftError {
  return new WeftError(badCode, `Cannot read the ${name}: ${why}`, { cause });
}
