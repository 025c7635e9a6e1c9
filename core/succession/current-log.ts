/**
 * The log that a cluster is on now, for those who use it and need not know which one that is. A cluster may change its log
 * at run time, when a lost store is written back or when it moves to another store: then another log is put in here.
 *
 * Vocabulary of the folder: a log *succeeds* another when its first record says at which record of the other it goes on
 * (`begin-successor.ts` writes it, `find-start.ts` reads it); the *seal* is the record by which a log says where the
 * cluster goes on, and its last. `docs/decisions/0014-a-succession-of-logs.md` has why.
 */
import { isWeftError, WeftError } from '../errors.ts';
import type {
  EntryDraft,
  EntryRef,
  EventLog,
  LogEntry,
  LogHealth,
  Position,
  WithoutLog,
} from '../log/event-log.ts';
import type { PresenceStore } from '../log/presence-store.ts';
import type { SnapshotStore } from '../log/snapshot-store.ts';
import type { LogId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';

export class CurrentLog implements EventLog {
  #log: EventLog;
  /** Why the cluster's next log cannot be followed yet. */
  #waiting: string | undefined;

  constructor(log: EventLog) {
    this.#log = log;
  }

  get url(): string {
    return this.#log.url;
  }

  get health(): LogHealth {
    return this.#waiting === undefined ? this.#log.health : { reachable: false, reason: this.#waiting };
  }

  get snapshots(): SnapshotStore {
    return this.#log.snapshots;
  }

  get presence(): PresenceStore {
    return this.#log.presence;
  }

  /** The cluster has left the log, and the next one is not there yet. @param reason one line, without secrets */
  waitFor(reason: string): void {
    this.#waiting = reason;
  }

  /**
   * Goes on in another log, which is open. Calls under way on the one before end as they do when a log is closed, but for
   * appends that were not sent there: those throw `store-unreachable`, and belong to the next one.
   */
  async replace(next: EventLog): Promise<void> {
    const before = this.#log;
    this.#log = next;
    this.#waiting = undefined;
    await before.close();
  }

  open(signal: CancelSignal, withoutLog?: WithoutLog): Promise<LogId> {
    return this.#log.open(signal, withoutLog);
  }

  /** Nothing is sent to a log that the cluster has left: it would be no part of it. */
  async append(draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    if (this.#waiting !== undefined) throw new WeftError('store-unreachable', this.#waiting);
    const log = this.#log;
    try {
      return await log.append(draft, signal);
    } catch (error) {
      if (log === this.#log || !isWeftError(error, 'closed')) throw error;
      // It was not sent there: whoever appends is to try again, and then it goes to the next one.
      const reason = 'the cluster has gone on in another log meanwhile';
      throw new WeftError('store-unreachable', `Cannot append to ${log.url}: ${reason}`, { cause: error });
    }
  }

  resolve(ref: EntryRef, signal: CancelSignal): Promise<Position | undefined> {
    return this.#log.resolve(ref, signal);
  }

  head(signal: CancelSignal): Promise<Position> {
    return this.#log.head(signal);
  }

  tail(after: Position, signal: CancelSignal): AsyncIterable<LogEntry> {
    return this.#log.tail(after, signal);
  }

  trim(upTo: Position, signal: CancelSignal): Promise<void> {
    return this.#log.trim(upTo, signal);
  }

  discard(logId: LogId, signal: CancelSignal): Promise<void> {
    return this.#log.discard(logId, signal);
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
