/** Where a daemon stands, in the members of `Control.status`. */
import { z } from 'zod';
import { count } from './common.ts';

export const phaseSchema = z.enum(['opening', 'catching-up', 'joining', 'running', 'halted', 'removed']);

export const storeShape = z.object({
  /** Without credentials. */
  url: z.string(),
  logId: z.string().exactOptional(),
  /** The store in the daemon's configuration, where the cluster has moved to another one. */
  configuredUrl: z.string().exactOptional(),
  reachable: z.boolean(),
  reason: z.string().exactOptional(),
  /** Of the newest snapshot that the daemon has heard of. */
  snapshotOrdinal: count.exactOptional(),
});

export const statusSchema = z.object({
  host: z.string(),
  address: z.string(),
  version: z.string(),
  phase: phaseSchema,
  phaseReason: z.string().exactOptional(),
  epoch: count.exactOptional(),
  store: storeShape,
  ordinal: count,
  position: z.string(),
  caughtUp: z.boolean().exactOptional(),
  caughtUpAgoMs: z.number().exactOptional(),
  recordHash: z.string(),
  stateHash: z.string(),
  hosts: count,
  /** Names of those that are down. */
  hostsDown: z.array(z.string()),
  networks: count,
  endpoints: count,
  dataplane: z.object({
    desired: count,
    pending: count,
    writes: count,
    repairs: count,
    auditedAgoMs: z.number().exactOptional(),
  }),
});

export type StatusView = z.output<typeof statusSchema>;
