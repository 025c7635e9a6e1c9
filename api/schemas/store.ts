/** What lies beside the log in the store, in the members of `Control.storeStatus`. */
import { z } from 'zod';
import { count, numeral } from './common.ts';
import { storeShape } from './status.ts';

const snapshotSchema = z.object({
  id: z.string(),
  ordinal: count,
  /** Records behind it, up to the daemon's fold; negative where it is ahead of it. */
  records: z.int(),
  /** Entries behind it, where those are not too many to be remembered. */
  entries: count.exactOptional(),
  /** Absent where its manifest cannot be read. `at` is its author's clock, milliseconds since 1970 UTC. */
  host: z.string().exactOptional(),
  at: count.exactOptional(),
  chunks: count.exactOptional(),
  bytes: count.exactOptional(),
  /** Why it cannot be used; absent where it can be, as far as was looked. */
  fault: z.string().exactOptional(),
});

export const storeQuerySchema = z.strictObject({
  /** `true` reads every snapshot through, instead of its manifest alone. */
  check: z.enum(['true', 'false']).default('false'),
});

export const storeSchema = z.object({
  store: storeShape,
  ordinal: count,
  caughtUp: z.boolean().exactOptional(),
  caughtUpAgoMs: z.number().exactOptional(),
  /** Newest first; absent where the store did not say, and `snapshotsReason` says why. */
  snapshots: z.array(snapshotSchema).exactOptional(),
  snapshotsReason: z.string().exactOptional(),
  /** Being written, or left by an author that died over them. */
  unfinished: count.exactOptional(),
  /** Ordinal of the newest one that can be used, as far as the daemon knows; 0 where it knows of none. */
  newest: count,
  /** Whose turn the next one is, and from which ordinal on. */
  next: z.object({ host: z.string(), ordinal: count }).exactOptional(),
  /** From which ordinal on it is the turn of the daemon's host. */
  ownTurn: count,
});

/** A snapshot that was made. `bytes` is what its chunks take in the store. */
export const madeSnapshotSchema = z.object({
  id: z.string(),
  ordinal: count,
  chunks: count,
  bytes: count,
  stateHash: z.string(),
});

export const reseedBodySchema = z.strictObject({
  /** Also where another host was seen further in the log. */
  force: z.boolean().default(false),
  /** The log that is in the store now, and is to be removed first: 32 hexadecimal digits. */
  discard: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .exactOptional(),
});

/** The log that was begun in place of the one that was lost, where it goes on from, and which host was first to do so. */
export const reseededSchema = z.object({
  store: z.string(),
  logId: z.string(),
  succeeds: z.string(),
  ordinal: count,
  host: z.string(),
});

export const moveBodySchema = z.strictObject({
  /** Of the store, without credentials: those are in each daemon's configuration. */
  to: z.string().min(1).max(2_048),
});

export const movedSchema = z.object({ store: z.string(), logId: z.string() });

/** What an export stands at. `ref` is by which its pages are asked for. */
export const exportHeadSchema = z.object({
  ref: z.string(),
  /** Of the daemon, and of the records' schema. */
  weft: z.string(),
  recordVersion: count,
  host: z.string(),
  /** Without credentials. */
  store: z.string(),
  logId: z.string(),
  position: z.string(),
  ordinal: count,
  recordHash: z.string(),
  stateHash: z.string(),
});

export const exportQuerySchema = z.strictObject({
  /** From 0 on. */
  page: numeral,
});

export const exportPageSchema = z.object({ items: z.array(z.string()), end: z.boolean() });

export type StoreView = z.output<typeof storeSchema>;
