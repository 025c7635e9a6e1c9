/** Sizes and times of the file log, each with its unit and why it is what it is. */
import { assert } from '../../core/lib/assert.ts';
import { entryBytesMax } from '../../core/limits.ts';

export interface FileLogBounds {
  /** A segment that has reached this size takes no further entry. Trimming removes whole segments. */
  readonly segmentBytesMax: number;
  /** What one read of a tail brings at most, and so what a slow reader holds in memory. */
  readonly pageBytesMax: number;
  /** How often a tail looks for itself, in case a notification was lost or the directory was swapped. */
  readonly pollMs: number;
  /** The same where the kernel gives no notifications. */
  readonly pollWithoutWatchMs: number;
  /** How often a writer tries again for a lock that another process holds. An uncontended commit takes about a millisecond. */
  readonly lockRetryMs: number;
  /** How often a torn `head` is read again before it counts as unreadable; a writer is then in the middle of it. */
  readonly headReadTries: number;
  /** Attempts of one append: the second goes to a new segment, after a failed sync has sealed the old one. */
  readonly commitTries: number;
}

export const fileLogDefaults: FileLogBounds = {
  segmentBytesMax: 16 * 1024 * 1024,
  pageBytesMax: 1024 * 1024,
  pollMs: 500,
  pollWithoutWatchMs: 50,
  lockRetryMs: 1,
  headReadTries: 5,
  commitTries: 2,
};

assert(fileLogDefaults.pageBytesMax > 2 * entryBytesMax, 'a page must hold a whole frame');
assert(fileLogDefaults.segmentBytesMax > entryBytesMax, 'a segment must hold an entry');
