/** Snapshots beside a log in memory. */

import type { SnapshotStore, StoredSnapshot } from '../../core/log/snapshot-store.ts';
import type { SnapshotId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { requireFit } from '../snapshot-bounds.ts';
import type { MemoryStore, Operation } from './store.ts';

/** One request to the store and its answer, with whatever becomes of it on the way. */
export type Exchange = <T>(operation: Operation, signal: CancelSignal, perform: () => T) => Promise<T>;

/** Of a store, what keeps snapshots. */
type Keeper = Pick<MemoryStore, 'putChunk' | 'putManifest' | 'snapshots' | 'chunk' | 'dropSnapshot'>;

export class MemorySnapshots implements SnapshotStore {
  readonly #store: Keeper;
  readonly #exchange: Exchange;

  constructor(store: Keeper, exchange: Exchange) {
    this.#store = store;
    this.#exchange = exchange;
  }

  async putChunk(id: SnapshotId, index: number, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    requireFit('chunk', bytes);
    await this.#exchange('keep', signal, () => this.#store.putChunk(id, index, bytes));
  }

  async putManifest(id: SnapshotId, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    requireFit('manifest', bytes);
    await this.#exchange('keep', signal, () => this.#store.putManifest(id, bytes));
  }

  async list(signal: CancelSignal): Promise<readonly StoredSnapshot[]> {
    return await this.#exchange('look', signal, () => this.#store.snapshots());
  }

  async getChunk(id: SnapshotId, index: number, signal: CancelSignal): Promise<Uint8Array | undefined> {
    return await this.#exchange('look', signal, () => this.#store.chunk(id, index));
  }

  async drop(id: SnapshotId, signal: CancelSignal): Promise<void> {
    await this.#exchange('keep', signal, () => this.#store.dropSnapshot(id));
  }
}
