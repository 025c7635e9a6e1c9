/** Entries of a log inside of JSON: as text where a person can read them, byte for byte in any case. */
import { decodeBase64, encodeBase64 } from '../lib/base64.ts';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.ts';
import type { LogEntry } from '../log/event-log.ts';
import type { EntryText } from './lines.ts';

export function entryText({ position, id, bytes }: LogEntry): EntryText {
  const text = decodeUtf8(bytes);
  return text === undefined ? { position, id, base64: encodeBase64(bytes) } : { position, id, text };
}

/** The bytes of an entry; undefined where `base64` is none. */
export function entryBytes({ text, base64 }: Pick<EntryText, 'text' | 'base64'>): Uint8Array | undefined {
  return text === undefined ? decodeBase64(base64 ?? '') : encodeUtf8(text);
}
