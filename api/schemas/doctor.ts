/** What is wrong with this host's data plane, and what was found wrong and repaired. */
import { z } from 'zod';
import { count } from './common.ts';
import { phaseSchema } from './status.ts';

const object = {
  kind: z.string(),
  namespace: z.string(),
  /** In the words of `ip` and `bridge`. */ text: z.string(),
};

export const doctorSchema = z.object({
  /** Nothing below needs anybody's attention. */
  healthy: z.boolean(),
  ordinal: count,
  phase: phaseSchema,
  phaseReason: z.string().exactOptional(),
  storeReachable: z.boolean(),
  storeReason: z.string().exactOptional(),
  /** Kernel objects that cannot be made at present. */
  failing: z.array(z.object({ ...object, reason: z.string(), attempts: count })),
  /** Repairs of drift made lately, newest last. `at` is milliseconds since 1970 UTC. */
  repairs: z.array(
    z.object({
      ...object,
      at: count,
      found: z.enum(['missing', 'altered', 'stray']),
      noticed: z.enum(['event', 'audit']),
    }),
  ),
});

export type DoctorView = z.output<typeof doctorSchema>;
