/**
 * PORT: the snapshots that lie beside a log in its store. An adapter keeps bytes and nothing more: what they mean, how
 * they are cut, compressed and checked is `core/snapshot`'s.
 *
 * A snapshot is a number of chunks and a manifest under one id. The manifest comes last, so a snapshot that has one is
 * whole. Guarantees of every implementation, proven by `test/contract/snapshot-cases.ts`:
 * - **Durable ack.** What `putChunk` and `putManifest` have acked survives what an acked entry survives.
 * - **Idempotent.** Every write may be repeated with the same bytes, and may land late.
 * - **Apart.** Snapshots of other ids do not disturb each other, and none of it is an entry of the log.
 * - **Fresh.** `list` shows every manifest that was acked before it was called.
 */
import type { SnapshotId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';

/** What of a snapshot is in the store. */
export interface StoredSnapshot {
  readonly id: SnapshotId;
  /** Absent while it is being written, or when its author died over it. */
  readonly manifest?: Uint8Array;
}

/**
 * Every call throws WeftError `store-unreachable`, `store-auth` or `log-mismatch` where it was not carried out, and the
 * writing ones also `store-full`, or `outcome-unknown` where they may have been: repeat them. Cancelling is as in
 * `EventLog.append`.
 */
export interface SnapshotStore {
  /** @param bytes at most `snapshotChunkBytesMax` @throws WeftError `too-large` (checked before sending) */
  putChunk(id: SnapshotId, index: number, bytes: Uint8Array, signal: CancelSignal): Promise<void>;

  /** @param bytes at most `snapshotManifestBytesMax` @throws WeftError `too-large` (checked before sending) */
  putManifest(id: SnapshotId, bytes: Uint8Array, signal: CancelSignal): Promise<void>;

  /** Everything that is there, whole or not, in no particular order. */
  list(signal: CancelSignal): Promise<readonly StoredSnapshot[]>;

  /** Undefined where there is no such chunk. */
  getChunk(id: SnapshotId, index: number, signal: CancelSignal): Promise<Uint8Array | undefined>;

  /** Removes the manifest and then the chunks. A snapshot that is not there is no error. */
  drop(id: SnapshotId, signal: CancelSignal): Promise<void>;
}
