/**
 * Bytes to lines of a bundle, whatever bytes they are. A file that was cut short, altered or made by a newer weft is
 * told apart from one that is whole, and never read as something else.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { WeftError } from '../errors.ts';
import { decodeUtf8 } from '../lib/utf8.ts';
import { bundleLineBytesMax } from './limits.ts';
import { type BundleLine, bundleFormat, bundleLineSchema, endSchema } from './lines.ts';

const newline = 0x0a;

/**
 * The lines of a bundle, header first, its end left out. Whether the file is whole is known only after the last one:
 * whoever must not act on a torn or altered file reads it through before.
 *
 * @param chunks the bytes after decompression, cut anywhere
 * @throws WeftError `bad-bundle`, `newer-bundle`, with the number of the line; what `chunks` throws
 */
export async function* readBundle(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<BundleLine, void, void> {
  const digest = sha256.create();
  let [count, entries, ended] = [0, 0, false];
  for await (const bytes of linesOf(chunks)) {
    const number = count + 1;
    if (ended) throw badBundle(`line ${number + 1} comes after its end`);
    const value = parse(bytes, number);
    if (number === 1) requireHeader(value);
    if ((value as { readonly type?: unknown }).type === 'end') {
      checkEnd(value, { lines: count, entries, sha256: bytesToHex(digest.digest()) });
      ended = true;
      continue;
    }
    const line = shaped(value, number);
    if (line.type === 'bundle' && number > 1) throw badBundle(`line ${number} is a second header`);
    digest.update(bytes);
    count = number;
    if (line.type === 'entry') entries += 1;
    yield line;
  }
  if (!ended) throw badBundle(`it ends after ${count} lines without its end: it was cut short; take it anew`);
}

/** Lines with their newlines. What follows the last newline is a line cut short. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
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
    if (length > bundleLineBytesMax) throw badBundle(`a line has more than ${bundleLineBytesMax} bytes`);
  }
  if (length > 0) throw badBundle('its last line is cut short; take it anew');
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

function parse(bytes: Uint8Array, number: number): object {
  const text = decodeUtf8(bytes);
  const value = text === undefined ? undefined : jsonOf(text);
  if (typeof value === 'object' && value !== null) return value;
  throw badBundle(number === 1 ? 'it does not begin like one' : `line ${number} is no JSON`);
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
function requireHeader(value: object): void {
  const { type, format, weft } = value as {
    readonly type?: unknown;
    readonly format?: unknown;
    readonly weft?: unknown;
  };
  if (type !== 'bundle' || typeof format !== 'number') throw badBundle('it does not begin like one');
  if (format <= bundleFormat) return;
  const by = typeof weft === 'string' ? ` by weft ${weft.slice(0, 64)}` : '';
  throw new WeftError(
    'newer-bundle',
    `The bundle has format ${format}, made${by}; this weft reads up to ${bundleFormat}: use a newer weft`,
  );
}

function shaped(value: object, number: number): BundleLine {
  const parsed = bundleLineSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw badBundle(`line ${number}${path === '' ? '' : `, member ${path},`} does not have its shape`);
}

function checkEnd(
  value: object,
  found: { readonly lines: number; readonly entries: number; readonly sha256: string },
): void {
  const parsed = endSchema.safeParse(value);
  if (!parsed.success) throw badBundle('its end does not have its shape');
  const { lines, entries, sha256: recorded } = parsed.data;
  if (lines !== found.lines || entries !== found.entries) {
    throw badBundle(`it has ${found.lines} lines and says ${lines}: lines were lost or added`);
  }
  if (recorded !== found.sha256) throw badBundle('its digest differs: it was altered after it was made');
}

/** One line on what is wrong with a bundle. */
export function badBundle(why: string, cause?: unknown): WeftError {
  return new WeftError('bad-bundle', `Cannot read the bundle: ${why}`, { cause });
}
