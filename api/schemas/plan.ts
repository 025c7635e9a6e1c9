/** Changes that are asked about and not made, and what would come of them. */
import { z } from 'zod';
import { count, ref } from './common.ts';
import { disconnectRequestSchema, endpointRequestSchema } from './endpoint.ts';
import { networkRequestSchema } from './network.ts';

/** A request of the route of that name: what it has in its path, and its body. */
export const planRequestSchema = z.discriminatedUnion('change', [
  z.strictObject({ change: z.literal('createNetwork'), body: networkRequestSchema }),
  z.strictObject({ change: z.literal('removeNetwork'), ref }),
  z.strictObject({ change: z.literal('connect'), ref, body: endpointRequestSchema }),
  z.strictObject({ change: z.literal('disconnect'), ref, body: disconnectRequestSchema }),
  z.strictObject({ change: z.literal('removeEndpoint'), ref }),
  z.strictObject({ change: z.literal('removeHost'), ref }),
]);

export const planSchema = z.object({
  /** The record's, if it were the next. */
  ordinal: count,
  /** What would be made or removed. Its id is provisional: the record that is written will have another. */
  subject: z.object({ type: z.string(), id: z.string() }),
  hosts: z.array(z.object({ host: z.string(), commands: z.array(z.string()) })),
});

export type PlanRequestBody = z.input<typeof planRequestSchema>;
export type PlanView = z.output<typeof planSchema>;
