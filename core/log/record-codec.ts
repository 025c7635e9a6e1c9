/**
 * Records to bytes and back.
 *
 * A record has exactly one text: canonical JSON (`lib/canonical-json.ts`), one line, UTF-8. Anything else that would
 * parse to the same record is refused, so that no member can hide behind another of its name, no number behind a form
 * of it that another reader rounds, and equal records are equal bytes.
 *
 * `decodeRecord` is total. Length and depth are bounded before anything parses the bytes. These bounds, the UTF-8, the
 * JSON and the envelope's `v` are the frame of every version; all else may change with the version, so a newer one is
 * recognised before anything else is judged.
 */
import { WeftError } from '../errors.ts';
import { type CanonicalValue, canonicalJson, isCanonicalJson } from '../lib/canonical-json.ts';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.ts';
import { recordBytesMax, recordDepthMax } from '../limits.ts';
import { isRandomId, type RecordId } from '../model/ids.ts';
import { type DecodedRecord, type LogRecord, recordVersion } from './record.ts';
import { recordSchema } from './record-schema.ts';

/**
 * One line of JSON without its newline; the same for equal records, whatever the order of their members.
 *
 * @throws WeftError `too-large` beyond `recordBytesMax`, `malformed` when no reader would take it for a record
 */
export function encodeRecord(record: LogRecord): Uint8Array {
  const text = canonicalJson(record);
  const fault = shapeFault(record, text);
  if (fault !== undefined) throw new WeftError('malformed', `Cannot write the record: ${fault}`);
  const bytes = encodeUtf8(text);
  if (bytes.length > recordBytesMax) {
    throw new WeftError(
      'too-large',
      `Cannot write the record: it has ${bytes.length} bytes and may have ${recordBytesMax}; shorten its labels or options`,
    );
  }
  return bytes;
}

/** What a line of an entry is. Never throws, and takes time in proportion to the line's length at most. */
export function decodeRecord(bytes: Uint8Array): DecodedRecord {
  if (bytes.length > recordBytesMax) return malformed(`it has more than ${recordBytesMax} bytes`);
  const frameFault = scanFrame(bytes);
  if (frameFault !== undefined) return malformed(frameFault);
  const text = decodeUtf8(bytes);
  if (text === undefined) return malformed('it is not UTF-8');
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return malformed('it is no JSON object');
  const { v: version, id: claimedId } = value as { readonly v?: unknown; readonly id?: unknown };
  if (typeof version === 'number' && Number.isInteger(version) && version > recordVersion) {
    return { type: 'unknown-version', version };
  }
  const id = typeof claimedId === 'string' && isRandomId(claimedId) ? (claimedId as RecordId) : undefined;
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) return malformed(`${memberOf(parsed.error.issues)} does not have its shape`, id);
  if (!isCanonicalJson(text, value as CanonicalValue)) return malformed('it is not in canonical form', id);
  if (hasLoneSurrogate(text)) return malformed('it holds half a character', id);
  return { type: 'record', record: parsed.data as LogRecord };
}

function malformed(reason: string, id?: RecordId): DecodedRecord {
  return { type: 'malformed', reason, ...(id === undefined ? {} : { id }) };
}

function shapeFault(record: CanonicalValue, canonicalText: string): string | undefined {
  const parsed = recordSchema.safeParse(record);
  if (!parsed.success) return `${memberOf(parsed.error.issues)} does not have its shape`;
  return hasLoneSurrogate(canonicalText) ? 'it holds half a character' : undefined;
}

/** One line, and no deeper than records are: what parses the text next has no bound of its own. */
function scanFrame(bytes: Uint8Array): string | undefined {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === 0x0a) return 'it is more than one line';
    if (byte === 0x22) quoted = !quoted;
    else if (quoted) at += byte === 0x5c ? 1 : 0;
    else if (byte === 0x5b || byte === 0x7b) depth += 1;
    else if (byte === 0x5d || byte === 0x7d) depth -= 1;
    if (depth > recordDepthMax) return `it is nested more than ${recordDepthMax} deep`;
  }
  return undefined;
}

/** Undefined for what is no JSON, which no JSON text gives. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Canonical JSON writes a lone surrogate as an escape, and nothing else as an escape of that form. Such a text has no
 * UTF-8 form outside of JSON, so it would change on its way to a hosts file or a hash.
 */
function hasLoneSurrogate(canonicalText: string): boolean {
  if (!canonicalText.includes('\\ud')) return false;
  return /(?:^|[^\\])(?:\\\\)*\\ud[89a-f]/.test(canonicalText);
}

/** Names the member by its path alone: the words of the schema library may change with its version, outcomes may not. */
function memberOf(issues: readonly { readonly path: readonly PropertyKey[] }[]): string {
  const path = issues[0]?.path ?? [];
  return path.length === 0 ? 'the record' : `its member ${path.map(String).join('.')}`;
}
