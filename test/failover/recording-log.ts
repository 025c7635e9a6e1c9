/** A log that keeps what was tried on it and how each try ended, for whoever must know afterwards. */
import { isWeftError } from '../../core/errors.ts';
import type {
  EntryDraft,
  EntryRef,
  EventLog,
  LogEntry,
  LogHealth,
  Position,
  WithoutLog,
} from '../../core/log/event-log.ts';
import type { PresenceStore } from '../../core/log/presence-store.ts';
import type { SnapshotStore } from '../../core/log/snapshot-store.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';

export class RecordingLog implements EventLog {
  /** Entries that no try is known to have put, by their ids. */
  readonly unsettled = new Map<string, EntryDraft>();
  /** How many tries ended with each code of an error. */
  readonly failures = new Map<string, number>();
  readonly #log: EventLog;

  constructor(log: EventLog) {
    this.#log = log;
  }

  get url(): string {
    return this.#log.url;
  }

  get health(): LogHealth {
    return this.#log.health;
  }

  get snapshots(): SnapshotStore {
    return this.#log.snapshots;
  }

  get presence(): PresenceStore {
    return this.#log.presence;
  }

  open(signal: CancelSignal, withoutLog?: WithoutLog): Promise<LogId> {
    return this.#log.open(signal, withoutLog);
  }

  async append(draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    this.unsettled.set(draft.id, draft);
    try {
      const position = await this.#log.append(draft, signal);
      this.unsettled.delete(draft.id);
      return position;
    } catch (error) {
      const code = isWeftError(error) ? error.code : String(error);
      this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
      throw error;
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
