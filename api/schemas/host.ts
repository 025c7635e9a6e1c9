/** Hosts as the API gives them. */
import { z } from 'zod';
import { count, stamp } from './common.ts';

export const hostSchema = z.object({
  name: z.string(),
  /** Underlay address at which its VXLAN tunnels end. */
  address: z.string(),
  /** The daemon that answers runs on it. */
  self: z.boolean(),
  epoch: count,
  mtu: count,
  version: z.string(),
  /** How many endpoints live on it. */
  endpoints: count,
  created: stamp,
  changed: stamp,
});

export type HostView = z.output<typeof hostSchema>;
