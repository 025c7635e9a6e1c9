/**
 * PORT: the beats that lie beside a log in its store. A *beat* is a few bytes that a daemon writes over and over while it
 * lives, under a random id of its own; what they say, and what follows when they stop, is `core/presence`'s.
 *
 * Nothing of a store's own notion of time or of clients is used (leases, sessions, ephemeral nodes): a beat stays until it
 * is dropped, and whoever reads it judges by its own clock whether it still changes. So presence means the same on every
 * store. Guarantees of every implementation, proven by `test/contract/presence-cases.ts`:
 * - **Fresh.** `list` shows every beat as the last `put` that was acked before it was called left it, or a later one.
 * - **Apart.** Beats of other ids do not disturb each other, and none of it is an entry of the log.
 * - **Fenced.** Nothing is written beside another log than the one that was opened, and nothing read there is believed.
 *
 * A `put` may land late, also after a later one or after a `drop`. A beat outlives every process; whether it outlives a
 * power failure is the store's affair.
 */
import type { BootId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';

/** A beat as it is in the store; others may have written anything there. */
export interface StoredBeat {
  readonly boot: BootId;
  readonly bytes: Uint8Array;
}

/**
 * Every call throws WeftError `store-unreachable`, `store-auth` or `log-mismatch` where it was not carried out, and the
 * writing ones also `store-full`, or `outcome-unknown` where they may have been. Cancelling is as in `EventLog.append`.
 */
export interface PresenceStore {
  /** Writes a beat over the one before it. @param bytes at most `beatBytesMax` @throws WeftError `too-large` (checked before sending) */
  put(boot: BootId, bytes: Uint8Array, signal: CancelSignal): Promise<void>;

  /** All that are there, in no particular order. */
  list(signal: CancelSignal): Promise<readonly StoredBeat[]>;

  /** Removes a beat. One that is not there is no error. */
  drop(boot: BootId, signal: CancelSignal): Promise<void>;
}
