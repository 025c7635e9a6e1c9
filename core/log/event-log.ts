/**
 * PORT: the one append-only log of a cluster. An adapter supplies order and durability and nothing more.
 *
 * Guarantees of every implementation, proven by `test/contract/event-log.contract.ts`:
 * - **Total order.** All readers see the same entries in the same order, for ever; none appears behind a reader.
 * - **Durable ack.** An acked entry survives the loss of any minority and is delivered by every tail.
 * - **Idempotent by id.** An entry is put if absent under its author's own id. A retry, also a late first attempt that
 *   lands after the retry, yields one entry. No author races another.
 * - **Unknown is not failed.** A caller is never told that an append failed which later happens.
 * - **Gapless resumable tail.** Everything after a position, once each, in order, across reconnects, compaction, slow
 *   consumers and catch-ups of any size. Store notifications only wake the reader; it reads by position.
 */
import { WeftError } from '../errors.ts';
import type { EntryId, LogId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { PresenceStore } from './presence-store.ts';
import type { SnapshotStore } from './snapshot-store.ts';

declare const brand: unique symbol;

/** The store's own order of entries; opaque outside its adapter, and comparable for equality only. */
export type Position = string & { readonly [brand]: 'Position' };

/** Before the first entry. */
export const genesis: Position = '' as Position;

/** Names an entry that its author has put or may have put. */
export interface EntryRef {
  readonly id: EntryId;
  /** The author's applied ordinal when it made the entry. Part of the key, so that trimming is by range. */
  readonly base: number;
}

/** An entry to append: the bytes stay the same on every retry. */
export interface EntryDraft extends EntryRef {
  readonly bytes: Uint8Array;
}

/** An entry as every reader sees it. */
export interface LogEntry {
  readonly position: Position;
  readonly id: EntryId;
  readonly bytes: Uint8Array;
}

/** Whether the store can be reached, as of the last exchange with it. */
export interface LogHealth {
  readonly reachable: boolean;
  /** One line for people, without secrets; present while the store cannot be reached. */
  readonly reason?: string;
}

/** What opening does where the store has no log: begin one, or refuse with `no-log` and write nothing. */
export type WithoutLog = 'begin' | 'refuse';

export interface EventLog {
  /** The store's URL without credentials. */
  readonly url: string;
  readonly health: LogHealth;
  /** The snapshots that lie beside the log. */
  readonly snapshots: SnapshotStore;
  /** What the daemons that follow it write of themselves, beside the log. */
  readonly presence: PresenceStore;

  /**
   * Connects, and writes genesis if the store has no log yet (any number of hosts may do so at once; one wins), unless it
   * is told to refuse that.
   * Must have resolved before any other call.
   *
   * @throws WeftError `store-unreachable`, `store-full`, `store-auth`, `permission-denied`, `log-damaged`,
   *   `unknown-version` where the store is laid out by a newer weft, `bad-configuration` where the store is of a kind
   *   that cannot keep the guarantees; `closed` when cancelled; `no-log`
   */
  open(signal: CancelSignal, withoutLog?: WithoutLog): Promise<LogId>;

  /**
   * Puts one entry. Resolves once it is durable. May be called again with the same draft at any time; concurrent calls
   * take effect in no particular order among themselves.
   *
   * @throws WeftError `too-large` (checked before sending), `entry-conflict`, `store-full`, `store-auth`,
   *   `log-mismatch` and `store-unreachable`: nothing happened nor will happen; `outcome-unknown`: it may have happened
   *   or may happen later, ask `resolve`. Cancelling an append that was sent makes its outcome unknown; one that was
   *   not sent yet ends with `store-unreachable`, and nothing is sent. Both answer promptly.
   */
  append(draft: EntryDraft, signal: CancelSignal): Promise<Position>;

  /**
   * Where the entry is, or undefined if it is not in the log now. "Not now" becomes "never" only when its author has
   * stopped trying and every attempt's deadline has passed.
   *
   * An entry that was trimmed is not in the log: nobody can tell from here whether it was.
   *
   * @throws WeftError `store-unreachable`, `store-auth`, `log-mismatch`
   */
  resolve(ref: EntryRef, signal: CancelSignal): Promise<Position | undefined>;

  /**
   * Position of the last entry, also where it was trimmed; `genesis` when there never was one. Linearizable: not older than any append acked before.
   *
   * @throws WeftError `store-unreachable`, `store-auth`, `log-mismatch`
   */
  head(signal: CancelSignal): Promise<Position>;

  /**
   * Everything after `after`, then what follows, for ever. Connection trouble is not an error: the tail waits,
   * reconnects and goes on, and `health` says so meanwhile. Ends without error when `signal` aborts.
   *
   * @throws WeftError `log-ahead`, `log-trimmed`, `log-mismatch`, `log-damaged`, `store-auth`
   */
  tail(after: Position, signal: CancelSignal): AsyncIterable<LogEntry>;

  /**
   * Removes every entry up to and including the one at `upTo`. What is left keeps its positions; `tail` from `upTo` goes
   * on as if nothing had happened, and from anything before it ends with `log-trimmed`. Never moves back: trimming to
   * where the log has been trimmed already, or less, changes nothing. Resolves once the trim is durable; what takes up
   * room may go later. Several hosts may trim at once.
   *
   * An author's late attempt to put an entry that was trimmed may put it once more, at the end: the fold knows it by its
   * records' ids and bases.
   *
   * @throws WeftError `log-ahead`, `log-mismatch` where `upTo` is no position of this log; `store-full` where there is no
   *   room even to say so; `store-unreachable`, `store-auth`, `outcome-unknown`: repeat it
   */
  trim(upTo: Position, signal: CancelSignal): Promise<void>;

  /**
   * Removes a log from the store, with what lies beside it; other things under the prefix stay. Only of a handle that has not
   * been opened. Nothing is appended to the log any more once this begins, and its identity goes last, so that whoever finds
   * it half gone may call this again, also at once with others. A store without a log is no error.
   *
   * @param logId of the log, so that no other one is removed
   * @throws WeftError `log-mismatch` where the store holds another log: nothing was removed; `log-damaged` where nobody can
   *   tell which it holds; `store-unreachable`, `store-auth`, `outcome-unknown`: repeat it
   */
  discard(logId: LogId, signal: CancelSignal): Promise<void>;

  /**
   * Ends all timers, sockets and tails. Appends under way reject with `outcome-unknown`, later calls with `closed`.
   * Idempotent.
   */
  close(): Promise<void>;
}

/** Of a store that has no log, when none is to be begun. */
export function noLogError(url: string): WeftError {
  return new WeftError(
    'no-log',
    `There is no log at ${url}: the store is empty, was wiped, or is another one`,
  );
}
