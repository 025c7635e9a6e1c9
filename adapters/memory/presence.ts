/** Beats beside a log in memory. */
import type { PresenceStore, StoredBeat } from '../../core/log/presence-store.ts';
import type { BootId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { requireBeatFits } from '../beat-bounds.ts';
import type { Exchange } from './snapshots.ts';
import type { MemoryStore } from './store.ts';

/** Of a store, what keeps beats. */
type Keeper = Pick<MemoryStore, 'putBeat' | 'beats' | 'dropBeat'>;

export class MemoryPresence implements PresenceStore {
  readonly #store: Keeper;
  readonly #exchange: Exchange;

  constructor(store: Keeper, exchange: Exchange) {
    this.#store = store;
    this.#exchange = exchange;
  }

  async put(boot: BootId, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    requireBeatFits(bytes);
    await this.#exchange('keep', signal, () => this.#store.putBeat(boot, bytes));
  }

  async list(signal: CancelSignal): Promise<readonly StoredBeat[]> {
    return await this.#exchange('look', signal, () => this.#store.beats());
  }

  async drop(boot: BootId, signal: CancelSignal): Promise<void> {
    await this.#exchange('keep', signal, () => this.#store.dropBeat(boot));
  }
}
