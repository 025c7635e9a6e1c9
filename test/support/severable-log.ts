/** A handle on a log that a test can cut off from its store, alone among its like. */
import { WeftError } from '../../core/errors.ts';
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

export class SeverableLog implements EventLog {
  readonly #log: EventLog;
  #cut: Promise<void> | undefined;
  #tailCut: Promise<void> | undefined;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Nothing goes through until the returned function is called. */
  sever(): () => void {
    let restore = (): void => undefined;
    this.#cut = new Promise((resolve) => {
      restore = () => {
        this.#cut = undefined;
        resolve();
      };
    });
    return restore;
  }

  /** Its tails bring nothing until the returned function is called; all else goes on. */
  severTails(): () => void {
    let restore = (): void => undefined;
    this.#tailCut = new Promise((resolve) => {
      restore = () => {
        this.#tailCut = undefined;
        resolve();
      };
    });
    return restore;
  }

  get url(): string {
    return this.#log.url;
  }

  get health(): LogHealth {
    return this.#cut === undefined ? this.#log.health : { reachable: false, reason: 'cut off by a test' };
  }

  get snapshots(): SnapshotStore {
    this.#requireWhole();
    return this.#log.snapshots;
  }

  get presence(): PresenceStore {
    this.#requireWhole();
    return this.#log.presence;
  }

  async open(signal: CancelSignal, withoutLog?: WithoutLog): Promise<LogId> {
    this.#requireWhole();
    return await this.#log.open(signal, withoutLog);
  }

  async append(draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    this.#requireWhole();
    return await this.#log.append(draft, signal);
  }

  async resolve(ref: EntryRef, signal: CancelSignal): Promise<Position | undefined> {
    this.#requireWhole();
    return await this.#log.resolve(ref, signal);
  }

  async head(signal: CancelSignal): Promise<Position> {
    this.#requireWhole();
    return await this.#log.head(signal);
  }

  async *tail(after: Position, signal: CancelSignal): AsyncGenerator<LogEntry, void, void> {
    for await (const entry of this.#log.tail(after, signal)) {
      await this.#cut;
      await this.#tailCut;
      yield entry;
    }
  }

  async trim(upTo: Position, signal: CancelSignal): Promise<void> {
    this.#requireWhole();
    await this.#log.trim(upTo, signal);
  }

  async discard(logId: LogId, signal: CancelSignal): Promise<void> {
    this.#requireWhole();
    await this.#log.discard(logId, signal);
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  #requireWhole(): void {
    if (this.#cut !== undefined) throw new WeftError('store-unreachable', 'The store is cut off by a test');
  }
}
