/** How often beats are written and looked at, and how long silence must last. */
import { beatsPerGrace, hostsPerLook, looksMissedMax, type PresenceOptions } from './defaults.ts';

export interface Pace {
  /** Between two beats of one daemon, milliseconds. */
  readonly beatMs: number;
  /** Between two looks at all of them. */
  readonly lookMs: number;
  /** Looks that lie further apart than this are not of one time of watching. */
  readonly gapMs: number;
  /** As configured, or longer where there are many hosts. */
  readonly graceMs: number;
  readonly retentionMs: number;
}

export function paceOf(hosts: number, { graceMs, retentionMs }: PresenceOptions): Pace {
  const beatMs = graceMs / beatsPerGrace;
  const lookMs = beatMs * Math.max(1, Math.ceil(hosts / hostsPerLook));
  return {
    beatMs,
    lookMs,
    gapMs: lookMs * (1 + looksMissedMax),
    graceMs: Math.max(graceMs, lookMs * beatsPerGrace),
    retentionMs,
  };
}
