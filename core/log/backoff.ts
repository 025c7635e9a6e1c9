/** Pauses between attempts: doubling up to a bound, the upper half of each left to chance so that hosts do not march in step. */
import type { Random } from '../ports/random.ts';

export interface BackoffBounds {
  readonly retryDelayMsMin: number;
  readonly retryDelayMsMax: number;
}

/** The pause after the `failures`-th failure in a row (from 1), milliseconds. */
export function backoffMs(failures: number, bounds: BackoffBounds, random: Random): number {
  const doublings = Math.min(Math.max(failures - 1, 0), 30);
  const pause = Math.min(bounds.retryDelayMsMin * 2 ** doublings, bounds.retryDelayMsMax);
  return pause * (0.5 + random.unit() / 2);
}
