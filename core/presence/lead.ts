/** Who is further in the log than others, as far as beats tell. */
import { WeftError } from '../errors.ts';

/** How far another host was when it was last seen. */
export interface Lead {
  readonly host: string;
  readonly ordinal: number;
  readonly seenAgoMs: number;
}

/**
 * Sees that no other host is known to be further than this one, before the log is written back from here.
 *
 * @param own the last record that this host has folded
 * @throws WeftError `host-behind`
 */
export function requireFurthest(self: string, own: number, lead: Lead | undefined): void {
  if (lead === undefined || lead.ordinal <= own) return;
  const { host, ordinal, seenAgoMs } = lead;
  const seconds = Math.round(seenAgoMs / 1_000);
  throw new WeftError(
    'host-behind',
    `Cannot write the log back from host '${self}', which knows it up to record ${own}: host '${host}' had record ` +
      `${ordinal} when it was last seen, ${seconds} s ago, and what lies between would be lost; nothing was changed: run ` +
      `\`weft store reseed\` on '${host}', or, where that one is gone for good, here with --force`,
    { details: { ordinal: own, host, furthest: ordinal } },
  );
}
