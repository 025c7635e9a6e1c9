/**
 * PORT: this host's own account of what it has folded, kept when the log and the fold have long forgotten it. Real in
 * `adapters/archive` (files in the data directory), in memory for tests. It keeps texts by their ordinals; what is in
 * them, and when they are written, is `core/archive`'s.
 *
 * Vocabulary: a *line* is one record with its outcome, as text. A *mark* is the beginning of the running hash of the
 * records up to and with it, by which two histories of the same ordinals are told apart. A *span* is a stretch of
 * ordinals without a gap.
 *
 * Guarantees of every implementation: what `write` has acked is there after a crash; a line is there whole or not at
 * all; no ordinal is there twice; what is damaged is left out and told of, and is never given as something else.
 */
import type { LogId } from '../model/ids.ts';

export interface ArchiveLine {
  readonly ordinal: number;
  /** 16 hexadecimal digits. */
  readonly mark: string;
  readonly text: string;
}

/** Both ends included. */
export interface ArchiveSpan {
  readonly first: number;
  readonly last: number;
}

export interface ArchiveAccount {
  /** Ascending; no two of them touch. */
  readonly spans: readonly ArchiveSpan[];
  /** What it takes on the disk. */
  readonly bytes: number;
  /** What was found damaged since it was opened, a line each, for people. */
  readonly damage: readonly string[];
}

/** How lines go on from what is there, where they do not simply follow, or fill a gap. */
export interface ArchiveTurn {
  /**
   * `branch`: the history up to the first line is the one that is there, and from there on another one.
   * `apart`: nothing that is there belongs to this history.
   */
  readonly kind: 'branch' | 'apart';
  readonly logId: LogId;
}

/** Calls may overlap; they take effect in their order. Every call throws WeftError `archive-failed` where it cannot be done. */
export interface Archive {
  /** Looks at what is there, and clears away what a crash has left half done. To be called first; repeat it when it fails. */
  open(): Promise<void>;

  /** Without reading. */
  readonly account: ArchiveAccount;

  /** The log that its latest lines are of; undefined while it has none. */
  readonly logId: LogId | undefined;

  /**
   * Adds lines, durably. Of an attempt that failed the first few may be there.
   *
   * @param lines consecutive, and none of an ordinal that is there
   * @param turn the first lines of an archive need one, `apart`
   */
  write(lines: readonly ArchiveLine[], turn?: ArchiveTurn): Promise<void>;

  /** What there is above an ordinal, ascending: the first `limit` lines, or fewer only where there are no more. */
  read(query: { readonly after: number; readonly limit: number }): Promise<readonly ArchiveLine[]>;

  /** What was acked stays. Idempotent. */
  close(): Promise<void>;
}
