/** What is wrong with this host's data plane, and what was found wrong and repaired. */
import { z } from 'zod';
import { count, objectId } from './common.ts';
import { hostSchema } from './host.ts';
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
  /** Hosts that are down or silent, not at work, run twice, or that do not agree with this one about the log. */
  hosts: z.array(hostSchema),
  /** Kernel objects that cannot be made at present. */
  failing: z.array(z.object({ ...object, reason: z.string(), attempts: count })),
  /** This host's own account of the log, behind what the store keeps. */
  archive: z.object({
    /** The records that it has, by their ordinals, both ends included. */
    spans: z.array(z.object({ first: count, last: count })),
    bytes: count,
    /** Records that wait to be written, and those that were given up since the daemon started. */
    waiting: count,
    lost: count,
    /** Why nothing can be written at present. */
    fault: z.string().exactOptional(),
    /** What was found damaged since the daemon started. */
    damage: z.array(z.string()),
  }),
  /**
   * Chains of other firewalls on this host that drop what is forwarded unless a rule of theirs accepts it; whether one does
   * is theirs to know, so they make nothing unhealthy. `accepts`: weft's own rule is in it.
   */
  droppingChains: z.array(
    z.object({
      family: z.enum(['ip', 'ip6', 'inet']),
      table: z.string(),
      chain: z.string(),
      by: z.enum(['policy', 'rule']),
      via: z.string().exactOptional(),
      accepts: z.boolean(),
    }),
  ),
  /** Why they could not be read, where they could not. */
  firewallsFault: z.string().exactOptional(),
  /** Sockets of this host whose ports are published, so that they get nothing, or not all, of what comes there. */
  shadowed: z.array(
    z.object({
      protocol: z.string(),
      address: z.string(),
      port: count,
      process: z.string().exactOptional(),
      /** Who publishes the port. */
      endpoint: objectId,
      sandbox: z.string(),
    }),
  ),
  /** Why they could not be looked for, where they could not. */
  listenersFault: z.string().exactOptional(),
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
