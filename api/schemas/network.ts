/** Networks as the API takes and gives them. */
import { z } from 'zod';
import { auxAddressesMax, subnetsMax } from '../../core/limits.ts';
import { defaultSpace } from '../../core/model/network.ts';
import { filtersMax } from '../limits.ts';
import { count, filters, filterText, labels, objectId, options, stamp, text, texts } from './common.ts';
import { endpointSchema } from './endpoint.ts';

const subnetRequest = z.strictObject({
  prefix: text,
  gateway: text.exactOptional(),
  range: text.exactOptional(),
  /** Addresses kept free, by name. */
  aux: z
    .record(text, text)
    .refine((map) => Object.keys(map).length <= auxAddressesMax, `has more than ${auxAddressesMax} members`)
    .default({}),
});

export const networkRequestSchema = z.strictObject({
  name: text,
  driver: text.default('overlay'),
  /** Empty: from the default pools of the address space. */
  subnets: z.array(subnetRequest).max(subnetsMax).default([]),
  ipv6: z.boolean().default(false),
  internal: z.boolean().default(false),
  space: text.default(defaultSpace),
  options: options.default({}),
  labels: labels.default({}),
});

export const networksQuerySchema = z.strictObject({ filter: filters });

export const networkSchema = z.object({
  id: objectId,
  name: z.string(),
  driver: z.string(),
  /** How far the network reaches, in Docker's words: all hosts (`global`), or each host by itself (`local`). */
  scope: z.string(),
  /** In every cluster from the beginning; cannot be removed. */
  predefined: z.boolean(),
  vni: count.exactOptional(),
  subnets: z.array(
    z.object({
      prefix: z.string(),
      gateway: z.string(),
      range: z.string().exactOptional(),
      aux: z.array(z.object({ name: z.string(), address: z.string() })),
    }),
  ),
  ipv6: z.boolean(),
  space: z.string(),
  internal: z.boolean(),
  options: texts,
  labels: texts,
  created: stamp,
  changed: stamp,
});

/** A network that was made, and what people should know of it: lines. */
export const createdNetworkSchema = networkSchema.extend({ warnings: z.array(z.string()) });

export const pruneRequestSchema = z.strictObject({
  filters: z.array(filterText).max(filtersMax).default([]),
});

/**
 * What was removed, in that order. Where a removal failed, it and those behind it were not made: which that was, and
 * why. A prune that could not remove the first one has failed as a whole, and answers with a problem.
 */
export const prunedSchema = z.object({
  removed: z.array(networkSchema),
  failure: z.object({ network: z.string(), code: z.string(), detail: z.string() }).exactOptional(),
});

/** A network with its endpoints, both of one ordinal. */
export const networkDetailSchema = networkSchema.extend({ endpoints: z.array(endpointSchema) });

export type NetworkRequestBody = z.input<typeof networkRequestSchema>;
export type Pruned = z.output<typeof prunedSchema>;
export type NetworkView = z.output<typeof networkSchema>;
export type NetworkDetail = z.output<typeof networkDetailSchema>;
