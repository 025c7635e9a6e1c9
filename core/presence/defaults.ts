/** Times and bounds of presence, each with its unit and why it is what it is. */
import { assert } from '../lib/assert.ts';

export interface PresenceOptions {
  /** A host is taken down after so long without a sign of life, milliseconds. The same on every host of a cluster. */
  readonly graceMs: number;
  /** And expires after so long down, milliseconds, as whoever looks has seen it. The same on every host. */
  readonly retentionMs: number;
}

export const presenceDefaults: PresenceOptions = { graceMs: 30_000, retentionMs: 24 * 60 * 60 * 1_000 };

/** Beats in a grace time: so many may be lost, but for one. */
export const beatsPerGrace = 6;
/**
 * Hosts that are looked at in the time of one beat. Everybody reads the beats of all, so in larger clusters everybody looks
 * less often, and waits longer: what the store is asked for then grows with the hosts, and not with their square.
 */
export const hostsPerLook = 100;
/** Looks that may fail before what was seen before counts no more. */
export const looksMissedMax = 1.5;
/** Grace times after which the beat of a boot that is over is removed from the store. */
export const staleGraces = 20;
/** How long a daemon that stops waits for the store to forget it. */
export const leaveMs = 500;

/** Every so many ordinals all hosts remember their hashes, and so many times: for others that are so far behind or ahead. */
export const markStrideOrdinals = 16;
export const marksMax = 1_024;
/** Of the last ordinals every one is remembered: in a cluster at rest all stand at the same. */
export const recentMarksMax = 64;

assert(beatsPerGrace > 2 * (1 + looksMissedMax), 'a gap in looking is found before a grace time is over');
