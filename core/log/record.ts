/**
 * Records: one request as its author wrote it, and the bytes that it is in the log.
 *
 * A record is one line of JSON in UTF-8, so that `etcdctl get` shows something that a person can read. An entry is a
 * batch of such lines (`entry.ts`). The envelope's `v` is the version of the whole schema: it grows whenever a kind or a
 * member is added, and a host that meets a version it does not know halts its fold rather than guess.
 */
import type { z } from 'zod';
import type { RecordId } from '../model/ids.ts';
import type { recordSchema } from './record-schema.ts';

/** The version of the schema that this build writes, and the newest that it reads. */
export const recordVersion = 1;

/** A decoded, valid record. Discriminated by `kind`; bodies are in `record-schema.ts`. */
export type LogRecord = z.infer<typeof recordSchema> & { readonly id: RecordId };
export type RecordKind = LogRecord['kind'];
export type RecordOf<K extends RecordKind> = Extract<LogRecord, { kind: K }>;
export type BodyOf<K extends RecordKind> = RecordOf<K>['body'];

/** What a line of an entry turned out to be. */
export type DecodedRecord =
  | { readonly type: 'record'; readonly record: LogRecord }
  /** Bytes that are no record of a version we know: rejected alike on every host, with what could be read of its id. */
  | { readonly type: 'malformed'; readonly reason: string; readonly id?: RecordId }
  /** Written by a newer weft: the fold halts before it. */
  | { readonly type: 'unknown-version'; readonly version: number };
