/** What a daemon tells of itself for a bundle: the lines of `core/bundle/lines.ts` before they are lines. */
import { z } from 'zod';
import {
  checkpointSchema,
  entrySchema,
  failingSchema,
  kernelLookSchema,
  repairSchema,
} from '../../core/bundle/lines.ts';
import { kernelObjectSchema } from '../../core/bundle/object-schema.ts';
import { snapshotChunksMax } from '../../core/limits.ts';
import { manifestSchema } from '../../core/snapshot/manifest.ts';
import { positionLengthMax } from '../limits.ts';
import { count, numeral, texts } from './common.ts';
import { statusSchema } from './status.ts';

export const evidenceSchema = z.object({
  /** Of the moment at which the look at the kernel began, as are position and hashes. */
  ...checkpointSchema.shape,
  position: z.string(),
  /** Version of the records' schema that the daemon reads and writes. */
  recordVersion: count,
  status: statusSchema,
  /** By their names on the command line, without secrets and the names of files that hold them. */
  configuration: texts,
  /** Versions of the kernel and the runtime. */
  system: texts,
  checkpoints: z.array(checkpointSchema),
  repairs: z.array(repairSchema),
  failing: z.array(failingSchema),
  kernel: kernelLookSchema,
  /** Everything of weft's that the kernel has, in the members of its kind. */
  objects: z.array(kernelObjectSchema),
  /** The daemon's last log lines, oldest first, each one JSON text. */
  logLines: z.array(z.string()),
});

const position = z.string().max(positionLengthMax);

export const entriesQuerySchema = z.strictObject({
  /** Only entries behind this position; absent: from the first. */
  after: position.exactOptional(),
  /** The position of the last entry that is wanted. */
  until: position,
});

export const entriesSchema = z.object({
  items: z.array(entrySchema),
  /** The last one wanted is among them; otherwise ask again with `after` at the last one given. */
  end: z.boolean(),
});

export const logStartQuerySchema = z.strictObject({
  /** The last entry that is wanted, and the last record in it. */
  until: position,
  ordinal: numeral,
});

/** `snapshot` is absent where the log has its entries from the first one. It was read through and is sound. */
export const logStartSchema = z.object({ snapshot: manifestSchema.exactOptional() });

/** The whole id: it becomes part of a key, or the name of a folder, in the store. */
export const snapshotParamsSchema = z.strictObject({ ref: z.string().regex(/^[0-9a-f]{32}$/) });

export const snapshotLinesQuerySchema = z.strictObject({
  chunk: numeral.refine((chunk) => chunk < snapshotChunksMax, `is not below ${snapshotChunksMax}`),
});

export const snapshotLinesSchema = z.object({ items: z.array(z.string()) });

export type EvidenceView = z.output<typeof evidenceSchema>;
