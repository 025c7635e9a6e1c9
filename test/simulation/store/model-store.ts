/**
 * The one store of a simulated cluster: the part that would be its servers. Every entry that it takes is told of in the
 * order of the log, so that the truth is folded beside it.
 */
import { MemoryStore, type StoredEntry } from '../../../adapters/memory/store.ts';
import { WeftError } from '../../../core/errors.ts';
import type { EntryDraft, LogEntry } from '../../../core/log/event-log.ts';
import { genesis, type Position } from '../../../core/log/event-log.ts';
import type { EntryId, LogId } from '../../../core/model/ids.ts';
import { decodeManifest } from '../../../core/snapshot/manifest.ts';

export class ModelStore {
  /** Present while nobody can reach it: refused at once, or no answer at all. */
  outage: 'refusing' | 'silent' | undefined;
  readonly #entries: MemoryStore = new MemoryStore();
  /** All that were ever put, also those that were trimmed since: what backups are made of. */
  #all: StoredEntry[] = [];
  readonly #onEntry: (entry: LogEntry) => void;

  constructor(onEntry: (entry: LogEntry) => void) {
    this.#onEntry = onEntry;
  }

  get length(): number {
    return this.#entries.length;
  }

  get logId(): LogId | undefined {
    return this.#entries.logId;
  }

  begin(logId: LogId): LogId {
    return this.#entries.begin(logId);
  }

  /** @throws WeftError `log-mismatch` */
  requireIdentity(logId: LogId | undefined): void {
    if (this.#entries.logId !== logId) throw mismatch('it has another name');
  }

  put(draft: EntryDraft): Position {
    const before = this.length;
    const sequence = this.#entries.put(draft);
    if (this.length > before) {
      this.#all.push(this.#entries.at(sequence));
      this.#onEntry(this.#entryAt(sequence));
    }
    return this.positionOf(sequence);
  }

  find(id: EntryId): Position | undefined {
    const sequence = this.#entries.sequenceOf(id);
    return sequence === undefined ? undefined : this.positionOf(sequence);
  }

  /** At most `limit` entries behind a position, of the first `length` that there are. @throws WeftError `log-ahead`, `log-mismatch`, `log-trimmed` */
  read(after: Position, length: number, limit: number): readonly LogEntry[] {
    if (this.#isTrimmed(after)) throw new WeftError('log-trimmed', `What follows ${after} has been trimmed`);
    const sequence = this.#sequenceOf(after);
    const entries: LogEntry[] = [];
    for (let next = sequence + 1; next <= Math.min(length, sequence + limit); next++) {
      entries.push(this.#entryAt(next));
    }
    return entries;
  }

  trim(upTo: Position): void {
    if (!this.#isTrimmed(upTo)) this.#entries.trim(this.#sequenceOf(upTo));
  }

  /** The snapshots, as bytes. */
  get snapshots(): Pick<MemoryStore, 'putChunk' | 'putManifest' | 'snapshots' | 'chunk' | 'dropSnapshot'> {
    return this.#entries;
  }

  get beats(): Pick<MemoryStore, 'putBeat' | 'beats' | 'dropBeat'> {
    return this.#entries;
  }

  listen(listener: () => void): () => void {
    return this.#entries.listen(listener);
  }

  positionOf(sequence: number): Position {
    return sequence === 0 ? genesis : (`${sequence}:${this.#entries.idAt(sequence)}` as Position);
  }

  /** Someone wipes it; the next to come begins another log. */
  wipe(): void {
    this.#all = [];
    this.#entries.wipe();
  }

  /** Someone restores an old backup: the same log, without its last entries and with the snapshots of its day. */
  rollBack(length: number): void {
    const { logId } = this.#entries;
    const old = this.#snapshotsUpTo(length);
    this.#all.length = length;
    this.#entries.wipe();
    if (logId !== undefined) this.#entries.begin(logId);
    for (const { id, bytes } of this.#all) this.#entries.put({ id, base: 0, bytes });
    for (const { id, manifest, chunks } of old) {
      chunks.forEach((chunk, index) => this.#entries.putChunk(id, index, chunk));
      this.#entries.putManifest(id, manifest);
    }
  }

  #snapshotsUpTo(length: number) {
    return this.#entries.snapshots().flatMap(({ id, manifest }) => {
      if (manifest === undefined) return [];
      const { position, chunks } = decodeManifest(manifest);
      if (Number(position.split(':')[0]) > length) return [];
      const parts = Array.from(
        { length: chunks },
        (_, index) => this.#entries.chunk(id, index) ?? new Uint8Array(),
      );
      return [{ id, manifest, chunks: parts }];
    });
  }

  /** Before the last entry that was trimmed: nobody can tell what was there. */
  #isTrimmed(position: Position): boolean {
    return Number(position.split(':')[0]) < this.#entries.floor;
  }

  #entryAt(sequence: number): LogEntry {
    const { id, bytes } = this.#entries.at(sequence);
    return { position: this.positionOf(sequence), id, bytes: Uint8Array.from(bytes) };
  }

  #sequenceOf(position: Position): number {
    if (position === genesis) return 0;
    const [digits, id] = position.split(':');
    const sequence = Number(digits);
    if (!(sequence <= this.length)) {
      throw new WeftError('log-ahead', `Position ${position} lies beyond the end of the model store`);
    }
    if (this.#entries.idAt(sequence) !== id) throw mismatch(`entry ${sequence} is another one`);
    return sequence;
  }
}

function mismatch(why: string): WeftError {
  return new WeftError('log-mismatch', `The model store holds another log: ${why}`);
}
