/** What a replay tells as it goes on. */
import type { BundleHeader } from '../core/bundle/lines.ts';
import type { Outcome } from '../core/fold/outcome.ts';
import type { LogRecord } from '../core/log/record.ts';
import type { Manifest } from '../core/snapshot/manifest.ts';

/** First: what is replayed, and for which host. The file is known to be whole by then. */
export interface Opened {
  readonly type: 'opened';
  readonly header: BundleHeader;
  readonly entries: number;
  readonly host: string;
  /** What the replay begins from; absent where it begins with the log's first record. */
  readonly snapshot?: Manifest;
  /** Why the bundle does not have all entries of the log, where it does not. */
  readonly brokenOff?: string;
}

/** The state that the entries go on from, and what of it is in the host's kernel. Comes before the entries, if at all. */
export interface ReplayedSnapshot {
  readonly type: 'snapshot';
  readonly ordinal: number;
  /** In the order of application. */
  readonly operations: readonly ReplayedOperation[];
}

/** One entry, and what it changed in the host's kernel. */
export interface ReplayedEntry {
  readonly type: 'entry';
  readonly position: string;
  readonly records: readonly ReplayedRecord[];
  /** In the order of application. */
  readonly operations: readonly ReplayedOperation[];
}

export interface ReplayedRecord {
  readonly outcome: Outcome;
  /** Absent where the bytes were no record. */
  readonly record?: LogRecord;
}

export interface ReplayedOperation {
  /** In the words of `ip` and `bridge`. */
  readonly text: string;
  /** Why the kernel in memory refused it, where it did. */
  readonly refused?: string;
}
