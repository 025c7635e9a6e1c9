/** The log's records with what the fold decided on them. */
import { z } from 'zod';
import { historyItemsDefault, historyItemsMax } from '../limits.ts';
import { count, numeral } from './common.ts';

export const historyQuerySchema = z.strictObject({
  /** Only ordinals above this one. */
  after: numeral.exactOptional(),
  /** The newest so many. */
  limit: numeral
    .refine((limit) => limit >= 1 && limit <= historyItemsMax, `is not within 1 and ${historyItemsMax}`)
    .default(historyItemsDefault),
  /** Which ones, where there are more: the newest, or the oldest, with which one turns pages. */
  from: z.enum(['oldest', 'newest']).default('newest'),
});

export const historyItemSchema = z.object({
  ordinal: count,
  accepted: z.boolean(),
  /** What the record made or removed; present where it was accepted. */
  subject: z.object({ type: z.string(), id: z.string() }).exactOptional(),
  /** Why it was rejected; present where it was. */
  code: z.string().exactOptional(),
  message: z.string().exactOptional(),
  /** What the endpoint had, or was given, that the record made or removed. */
  attached: z.object({ addresses: z.array(z.string()), mac: z.string().exactOptional() }).exactOptional(),
  /** The record as its author wrote it; absent where the bytes were none. `at` is the author's clock, ms since 1970. */
  record: z
    .object({
      v: count,
      id: z.string(),
      host: z.string(),
      epoch: count,
      base: count,
      at: count,
      by: z.string(),
      kind: z.string(),
      body: z.record(z.string(), z.unknown()),
    })
    .exactOptional(),
});

export type HistoryItemView = z.output<typeof historyItemSchema>;
