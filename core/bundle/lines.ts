/**
 * A bundle: one file with everything that a replay of a host's life needs, for a bug report. `docs/bundle.md` says what
 * is in it, member by member; this file is the same as schemas.
 *
 * Vocabulary: a bundle is *lines* of JSON. The first is the *header*, the last the *end*, with a digest of all bytes
 * before it; in between come the daemon's own account (status, configuration, checkpoints, repairs, kernel objects, log
 * lines) and then the *entries* of the log, in their order; where the log was trimmed, the *snapshot* that they go on
 * from before them. `write.ts` makes the bytes of lines, `read.ts` lines of bytes.
 *
 * Invariants: entries are byte for byte what the store has; nothing in it is a secret of the machine or of the store
 * (texts of users inside of records are there as they are); a reader needs memory for what is not an entry, and for one
 * line more; of a snapshot for the state, and not for its lines.
 *
 * `format` grows with every member or line that is added: a reader refuses what it does not know.
 */
import { z } from 'zod';
import { manifestSchema } from '../snapshot/manifest.ts';
import { kernelObjectSchema } from './object-schema.ts';

/** The format that this build writes, and the newest that it reads. */
export const bundleFormat = 1;

const count = z.int().min(0);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const position = z.string().max(255);
const texts = z.record(z.string(), z.string());

/** Where the fold of the daemon stood, as two hashes. */
export const checkpointSchema = z.strictObject({ ordinal: count, recordHash: hash, stateHash: hash });

/** An entry of the log: `text` where its bytes are UTF-8, otherwise `base64`; exactly one of the two. */
export const entrySchema = z
  .strictObject({
    position,
    id: z.string().max(255),
    text: z.string().exactOptional(),
    base64: z.string().exactOptional(),
  })
  .refine((entry) => (entry.text === undefined) !== (entry.base64 === undefined), 'has not one form');

const account = { kind: z.string(), namespace: z.string(), text: z.string() };
export const repairSchema = z.strictObject({
  ...account,
  at: count,
  found: z.enum(['missing', 'altered', 'stray']),
  noticed: z.enum(['event', 'audit']),
});
export const failingSchema = z.strictObject({ ...account, reason: z.string(), attempts: count });

/** How the look at the kernel went: `steady` where neither the fold nor the data plane moved meanwhile. */
export const kernelLookSchema = z.strictObject({ steady: z.boolean(), fault: z.string().exactOptional() });

export const headerSchema = z.strictObject({
  type: z.literal('bundle'),
  format: z.literal(bundleFormat),
  /** Version of the daemon. */
  weft: z.string(),
  /** Version of the records' schema that it reads and writes. */
  recordVersion: count,
  /** RFC 3339, by the clock of whoever asked for it. */
  madeAt: z.string(),
  host: z.string(),
  /** Without credentials. */
  store: z.string(),
  /** Absent where the daemon had not opened its log yet. */
  logId: z.string().exactOptional(),
  position,
  ...checkpointSchema.shape,
});

const daemonSchema = z.strictObject({
  type: z.literal('daemon'),
  /** As `weft status --format json` has it. */
  status: z.looseObject({ phase: z.string(), phaseReason: z.string().exactOptional() }),
  configuration: texts,
  system: texts,
});

export const bundleLineSchema = z.discriminatedUnion('type', [
  headerSchema,
  daemonSchema,
  z.strictObject({ type: z.literal('checkpoint'), ...checkpointSchema.shape }),
  z.strictObject({ type: z.literal('repair'), ...repairSchema.shape }),
  z.strictObject({ type: z.literal('failing'), ...failingSchema.shape }),
  z.strictObject({ type: z.literal('kernel'), ...kernelLookSchema.shape }),
  z.strictObject({ type: z.literal('object'), object: kernelObjectSchema }),
  z.strictObject({ type: z.literal('log-line'), text: z.string() }),
  /** Of a log that was trimmed: the state that the entries go on from, and then its lines (`core/snapshot`). */
  z.strictObject({ type: z.literal('snapshot'), manifest: manifestSchema }),
  z.strictObject({ type: z.literal('snapshot-line'), text: z.string() }),
  z.strictObject({ type: z.literal('entry'), ...entrySchema.shape }),
  /** In place of the entries that could not be read: why. */
  z.strictObject({ type: z.literal('broken-off'), reason: z.string() }),
]);

/** `lines` counts all lines before this one; `sha256` is over their bytes, newlines included. */
export const endSchema = z.strictObject({
  type: z.literal('end'),
  lines: count,
  entries: count,
  sha256: hash,
});

export type BundleLine = z.output<typeof bundleLineSchema>;
export type BundleLineOf<T extends BundleLine['type']> = Extract<BundleLine, { type: T }>;
export type BundleHeader = z.output<typeof headerSchema>;
export type Checkpoint = z.output<typeof checkpointSchema>;
export type EntryText = z.output<typeof entrySchema>;
