/** Times and bounds of the appender, each with its unit and why it is what it is. */
import { assert } from '../lib/assert.ts';

export interface AppenderOptions {
  /** How long one attempt may take before it is cancelled and repeated, milliseconds. */
  readonly attemptMsMax: number;
  /** How long a cancelled attempt may take to say how it stands. An adapter that stays silent counts as unknown. */
  readonly cancelMsMax: number;
  /** First and longest pause between attempts: doubled each time, of which the second half is jitter. */
  readonly retryDelayMsMin: number;
  readonly retryDelayMsMax: number;
  /** Lines that may wait. A line too many is refused at once, so that a burst ends in refusals, not in memory. */
  readonly queueLinesMax: number;
  /** Entries of unknown outcome that are asked after at the same time; the oldest gives way. */
  readonly unresolvedMax: number;
  /**
   * After this time "not in the log now" means "never": longer than any store holds a request whose sender is gone
   * (etcd gives up a request that waits for a leader after 7 s; a store that is frozen longer is caught by the base).
   */
  readonly settleMs: number;
  /** After this time without an answer from the store an entry's outcome stays unknown. */
  readonly resolveMsMax: number;
}

export const appenderDefaults: AppenderOptions = {
  attemptMsMax: 1_000,
  cancelMsMax: 100,
  retryDelayMsMin: 25,
  retryDelayMsMax: 500,
  queueLinesMax: 4_096,
  unresolvedMax: 64,
  settleMs: 30_000,
  resolveMsMax: 600_000,
};

assert(appenderDefaults.retryDelayMsMin <= appenderDefaults.retryDelayMsMax, 'pauses must grow');
assert(appenderDefaults.settleMs < appenderDefaults.resolveMsMax, 'an outcome must be able to settle');
