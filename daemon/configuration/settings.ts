/** The shape of the settings that a file may hold, and of the flags: all optional, all texts, strictly no others. */
import { z } from 'zod';
import { logLevels } from './configuration.ts';

const path = z.string().regex(/^\/[^\0]*$/, 'is no absolute path');

/** On the command line a text, in the file either. */
const onOrOff = z.union([
  z.boolean(),
  z.enum(['true', 'false'], 'is neither true nor false').transform((text) => text === 'true'),
]);

export const flagsSchema = z.strictObject({
  store: z.string().exactOptional(),
  host: z.string().exactOptional(),
  advertise: z.string().exactOptional(),
  'data-dir': path.exactOptional(),
  socket: path.exactOptional(),
  'netns-prefix': z.string().exactOptional(),
  'accept-in-foreign-chains': onOrOff.exactOptional(),
  'accept-foreign-vteps': onOrOff.exactOptional(),
  'gateway-subnet': z.string().exactOptional(),
  bridge: z
    .literal('none', 'can only be none: the network `bridge` has the same bridge, weft0, on every host')
    .exactOptional(),
  'archive-mib': z.union([z.string(), z.int()]).transform(String).exactOptional(),
  'host-grace': z.string().exactOptional(),
  'host-retention': z.string().exactOptional(),
  'log-level': z.enum(logLevels, `is none of ${logLevels.join(', ')}`).exactOptional(),
});

/** How a store knows us. */
const secrets = {
  'tls-ca-file': path.exactOptional(),
  'tls-cert-file': path.exactOptional(),
  'tls-key-file': path.exactOptional(),
  user: z.string().min(1).exactOptional(),
  'password-file': path.exactOptional(),
  'token-file': path.exactOptional(),
};

export const fileSchema = flagsSchema.extend({
  ...secrets,
  /** Of stores to which the cluster may move. */
  stores: z.array(z.strictObject({ url: z.string(), ...secrets })).exactOptional(),
});

export type Settings = z.output<typeof fileSchema>;
