/**
 * What a memory log's handles share, and the faults that a test may put between them and it.
 *
 * The store is the part that would be a server. Faults are of the kinds that real stores were seen to have: requests
 * refused, requests lost, answers lost, requests that arrive after everyone has given them up, silence.
 */
import { WeftError } from '../../core/errors.ts';
import type { EntryDraft } from '../../core/log/event-log.ts';
import type { StoredBeat } from '../../core/log/presence-store.ts';
import type { StoredSnapshot } from '../../core/log/snapshot-store.ts';
import type { BootId, EntryId, LogId, SnapshotId } from '../../core/model/ids.ts';

export interface StoredEntry {
  readonly id: EntryId;
  readonly bytes: Uint8Array;
}

export type Operation =
  | 'open'
  | 'append'
  | 'resolve'
  | 'head'
  | 'read'
  | 'trim'
  | 'discard'
  | 'keep'
  | 'look';

/** Requests that change something, and so may have been carried out without their sender's knowing. */
const writes: readonly Operation[] = ['append', 'trim', 'discard', 'keep'];

export function isWrite(operation: Operation): boolean {
  return writes.includes(operation);
}

/**
 * What becomes of one request:
 * - `refuse`: it is not carried out, and its sender knows (`store-unreachable`);
 * - `lose-request`: it is not carried out, and its sender does not know (`outcome-unknown`, for an append);
 * - `lose-answer`: it is carried out, and its sender does not know;
 * - `delay`: its sender is told nothing certain; an append is carried out when `land` is called;
 * - `hang`: no answer until its sender cancels; not carried out.
 */
export type Fault = 'refuse' | 'lose-request' | 'lose-answer' | 'delay' | 'hang';

/** Decides the fate of each request; undefined lets it through. */
export type FaultPlan = (operation: Operation, draft: EntryDraft | undefined) => Fault | undefined;

interface Snapshot {
  manifest?: Uint8Array;
  readonly chunks: Map<number, Uint8Array>;
}

/** Nothing was trimmed yet. */
const bottom = { sequence: 0, id: undefined };

export class MemoryStore {
  #logId: LogId | undefined;
  /** Those behind the floor. */
  #entries: StoredEntry[] = [];
  /** The last entry that was trimmed; what it held is gone. */
  #floor: { readonly sequence: number; readonly id: EntryId | undefined } = bottom;
  #snapshots = new Map<SnapshotId, Snapshot>();
  #beats = new Map<BootId, Uint8Array>();
  #sequences = new Map<EntryId, number>();
  readonly #plans = new Set<FaultPlan>();
  readonly #delayed: EntryDraft[] = [];
  readonly #listeners = new Set<() => void>();
  #bytes = 0;
  readonly #bytesMax: number;

  /** `bytesMax` bounds the payloads that it holds together, for a store that fills up. */
  constructor(options: { readonly bytesMax?: number } = {}) {
    this.#bytesMax = options.bytesMax ?? Number.POSITIVE_INFINITY;
  }

  get logId(): LogId | undefined {
    return this.#logId;
  }

  /** Number of entries that there ever were; the last one's sequence. */
  get length(): number {
    return this.#floor.sequence + this.#entries.length;
  }

  /** Sequence of the last entry that was trimmed. */
  get floor(): number {
    return this.#floor.sequence;
  }

  /** The first to come names the log. */
  begin(logId: LogId): LogId {
    this.#logId ??= logId;
    return this.#logId;
  }

  /** Puts an entry if its id is absent; gives its sequence, from 1. @throws WeftError `entry-conflict`, `store-full` */
  put(draft: EntryDraft): number {
    const known = this.#sequences.get(draft.id);
    if (known !== undefined) {
      if (Buffer.compare(this.at(known).bytes, draft.bytes) === 0) return known;
      throw new WeftError(
        'entry-conflict',
        `Entry ${draft.id} is in the log with other contents: an id was used twice, which is a defect of its author`,
      );
    }
    if (this.#bytes + draft.bytes.length > this.#bytesMax) {
      throw new WeftError(
        'store-full',
        `The memory store holds its ${this.#bytesMax} bytes: remove what is not needed`,
      );
    }
    this.#bytes += draft.bytes.length;
    this.#entries.push({ id: draft.id, bytes: Uint8Array.from(draft.bytes) });
    this.#sequences.set(draft.id, this.length);
    this.#wake();
    return this.length;
  }

  sequenceOf(id: EntryId): number | undefined {
    return this.#sequences.get(id);
  }

  /** The id of an entry that exists, or is the last one that was trimmed. */
  idAt(sequence: number): EntryId {
    const { floor } = this;
    return sequence === floor && this.#floor.id !== undefined ? this.#floor.id : this.at(sequence).id;
  }

  /** The entry of a sequence that exists. */
  at(sequence: number): StoredEntry {
    const entry = this.#entries[sequence - 1 - this.floor];
    if (entry === undefined) throw new Error(`Broken invariant: no entry ${sequence} of ${this.length}`);
    return entry;
  }

  /** Removes the entries up to that sequence. */
  trim(sequence: number): void {
    if (sequence <= this.floor) return;
    const { id } = this.at(sequence);
    for (const gone of this.#entries.splice(0, sequence - this.floor)) {
      this.#sequences.delete(gone.id);
      this.#bytes -= gone.bytes.length;
    }
    this.#floor = { sequence, id };
    this.#wake();
  }

  putChunk(id: SnapshotId, index: number, bytes: Uint8Array): void {
    this.#snapshot(id).chunks.set(index, Uint8Array.from(bytes));
  }

  putManifest(id: SnapshotId, bytes: Uint8Array): void {
    this.#snapshot(id).manifest = Uint8Array.from(bytes);
  }

  snapshots(): readonly StoredSnapshot[] {
    return [...this.#snapshots].map(([id, { manifest }]) => {
      return { id, ...(manifest === undefined ? {} : { manifest: manifest.slice() }) };
    });
  }

  chunk(id: SnapshotId, index: number): Uint8Array | undefined {
    return this.#snapshots.get(id)?.chunks.get(index)?.slice();
  }

  dropSnapshot(id: SnapshotId): void {
    this.#snapshots.delete(id);
  }

  putBeat(boot: BootId, bytes: Uint8Array): void {
    this.#beats.set(boot, Uint8Array.from(bytes));
  }

  beats(): readonly StoredBeat[] {
    return [...this.#beats].map(([boot, bytes]) => ({ boot, bytes: Uint8Array.from(bytes) }));
  }

  dropBeat(boot: BootId): void {
    this.#beats.delete(boot);
  }

  #snapshot(id: SnapshotId): Snapshot {
    const snapshot = this.#snapshots.get(id) ?? { chunks: new Map() };
    this.#snapshots.set(id, snapshot);
    return snapshot;
  }

  /** Calls back whenever something may be new; returns how to stop. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets a plan, or one fault for every request, decide until the returned function is called. */
  interrupt(plan: FaultPlan | Fault): () => void {
    const decide: FaultPlan = typeof plan === 'function' ? plan : () => plan;
    this.#plans.add(decide);
    return () => {
      this.#plans.delete(decide);
      this.#wake();
    };
  }

  fateOf(operation: Operation, draft?: EntryDraft): Fault | undefined {
    for (const plan of this.#plans) {
      const fault = plan(operation, draft);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  delay(draft: EntryDraft): void {
    this.#delayed.push({ ...draft, bytes: Uint8Array.from(draft.bytes) });
  }

  /** Carries out the appends that were delayed, in their order; returns how many. */
  land(): number {
    const landing = this.#delayed.splice(0);
    for (const draft of landing) this.put(draft);
    return landing.length;
  }

  /** Forgets everything, as a store does that is wiped; the next to open it begins another log. */
  wipe(): void {
    this.#logId = undefined;
    this.#entries = [];
    this.#floor = bottom;
    this.#snapshots = new Map();
    this.#beats = new Map();
    this.#sequences = new Map();
    this.#bytes = 0;
    this.#wake();
  }

  /** A backup of all that it holds now. */
  copy(): MemoryStore {
    const copy = new MemoryStore();
    copy.takeOver(this);
    return copy;
  }

  /** Somebody restores a backup. */
  takeOver(backup: MemoryStore): void {
    this.#logId = backup.#logId;
    this.#entries = [...backup.#entries];
    this.#floor = backup.#floor;
    this.#snapshots = new Map(backup.#snapshots);
    this.#beats = new Map(backup.#beats);
    this.#sequences = new Map(backup.#sequences);
    this.#bytes = backup.#bytes;
    this.#wake();
  }

  #wake(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

const named = new Map<string, MemoryStore>();

/** The store of that name in this process, made on first use; it lives as long as the process. */
export function namedMemoryStore(name: string): MemoryStore {
  const store = named.get(name) ?? new MemoryStore();
  named.set(name, store);
  return store;
}
