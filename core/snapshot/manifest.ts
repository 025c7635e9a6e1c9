/** What says of a snapshot what it is: where in the log it stands, what it must add up to, and in how many chunks it lies. */
import { z } from 'zod';
import { WeftError } from '../errors.ts';
import { canonicalJson } from '../lib/canonical-json.ts';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.ts';
import { snapshotChunksMax } from '../limits.ts';
import type { Position } from '../log/event-log.ts';
import type { LogId, SnapshotId } from '../model/ids.ts';

const count = z.int().min(0);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const id = <T extends string>() => z.string().regex(/^[0-9a-f]{32}$/) as unknown as z.ZodType<T>;

export const manifestSchema = z.strictObject({
  v: z.literal(1),
  id: id<SnapshotId>(),
  /** Of the log that it was folded from. */
  logId: id<LogId>(),
  /** The last entry that is in it; empty where it is what the log goes on from. */
  position: z.string().max(255) as unknown as z.ZodType<Position>,
  /** The last record that is in it. */
  ordinal: z.int().min(1),
  recordHash: hash,
  stateHash: hash,
  chunks: z.int().min(1).max(snapshotChunksMax),
  /** Of all chunks, as they are stored. */
  bytes: count,
  /** SHA-256 over all chunks, one behind the other. */
  digest: hash,
  compression: z.string().max(32),
  /** Name of the host that wrote it, and its wall clock, milliseconds since 1970 UTC; for people. */
  host: z.string().max(255),
  at: count,
});

export type Manifest = z.infer<typeof manifestSchema>;

export function encodeManifest(manifest: Manifest): Uint8Array {
  return encodeUtf8(canonicalJson(manifest));
}

/** @throws WeftError `bad-snapshot`, `unknown-version` */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const value = parseJson(decodeUtf8(bytes));
  const version = (value as { readonly v?: unknown } | null | undefined)?.v;
  if (typeof version === 'number' && version > 1) {
    throw new WeftError(
      'unknown-version',
      `Cannot use the snapshot: its manifest is of version ${version}: upgrade weft on this host`,
    );
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw new WeftError('bad-snapshot', `Cannot use the snapshot: its manifest is wrong at '${where}'`);
}

function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
