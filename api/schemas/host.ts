/** Hosts as the API gives them. */
import { z } from 'zod';
import { count, stamp } from './common.ts';
import { phaseSchema } from './status.ts';

export const hostSchema = z.object({
  name: z.string(),
  /** Underlay address at which its VXLAN tunnels end. */
  address: z.string(),
  /** The daemon that answers runs on it. */
  self: z.boolean(),
  /** `down` by a record of the others: its names do not resolve; `silent`: not seen for the grace time, and not down. */
  state: z.enum(['up', 'down', 'silent']),
  /** Milliseconds since the daemon that answers saw a sign of life of it; absent where it never saw one. */
  seenAgoMs: z.number().exactOptional(),
  /** As that sign had it: what it was doing, and the last record that it had folded. */
  phase: phaseSchema.exactOptional(),
  ordinal: count.exactOptional(),
  /** The first record known at which it had other hashes than the daemon that answers. */
  partedAt: count.exactOptional(),
  /** Daemons that run as this host, where they are more than one. */
  daemons: count.exactOptional(),
  epoch: count,
  mtu: count,
  version: z.string(),
  /** Of its gateway bridge. */
  gatewaySubnet: z.string().exactOptional(),
  /** How many endpoints live on it. */
  endpoints: count,
  created: stamp,
  changed: stamp,
});

export type HostView = z.output<typeof hostSchema>;
