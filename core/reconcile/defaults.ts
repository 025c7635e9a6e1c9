/** Times and bounds of the reconciler, each with its unit and why it is what it is. */
import { assert } from '../lib/assert.ts';

export interface ReconcilerOptions {
  /**
   * Pause between audits, milliseconds. Finds what no notification told of, so it bounds how long the kernel can lie
   * when events are lost silently.
   */
  readonly auditIntervalMs: number;
  /** First and longest pause before an operation that failed is tried again, milliseconds; doubled each time. */
  readonly retryDelayMsMin: number;
  readonly retryDelayMsMax: number;
  /** Attempts after which whoever waits for an object is told that it cannot be made. It is tried on regardless. */
  readonly attemptsMax: number;
  /**
   * How long the kernel's own notification of a change of ours is waited for before it is looked for, milliseconds. Most
   * come within one; what takes no effect has none.
   */
  readonly readBackDelayMs: number;
  /**
   * For so long after an operation of ours an event that contradicts it may be an older one that comes late: the kernel
   * is then asked, instead of the event believed. Milliseconds.
   */
  readonly echoWindowMs: number;
  /** Operations handed to the kernel at once. Between batches others get their turn. */
  readonly batchOperationsMax: number;
  /** Repairs kept for `weft doctor`. */
  readonly repairsMax: number;
  /** Repairs of one burst that are logged one by one; the rest is counted. A burst lasts so many milliseconds at least. */
  readonly repairsLoggedMax: number;
  readonly burstMs: number;
}

export const defaults: ReconcilerOptions = {
  auditIntervalMs: 30_000,
  retryDelayMsMin: 50,
  retryDelayMsMax: 30_000,
  attemptsMax: 3,
  readBackDelayMs: 25,
  echoWindowMs: 1_000,
  batchOperationsMax: 1_000,
  repairsMax: 256,
  repairsLoggedMax: 20,
  burstMs: 1_000,
};

assert(
  defaults.retryDelayMsMin <= defaults.retryDelayMsMax,
  'the first pause between attempts is the shortest',
);
assert(
  defaults.readBackDelayMs < defaults.echoWindowMs,
  'late events are still known as such when they are looked for',
);
assert(defaults.attemptsMax > 1, 'one failure may be chance');
