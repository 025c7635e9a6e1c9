/** The plain store: it has no habits of its own, so all that goes wrong is on the way to it. */
import type { EventLog, LogEntry } from '../../../core/log/event-log.ts';
import type { EntryId } from '../../../core/model/ids.ts';
import type { World } from '../world/world.ts';
import { ModelLog, modelUrl } from './model-log.ts';
import { ModelStore } from './model-store.ts';
import type { Handle, Outage, StoreModel } from './style.ts';

export class MemoryStyle implements StoreModel {
  readonly #world: World;
  readonly #store: ModelStore;

  constructor(world: World, onEntry: (entry: LogEntry) => void) {
    this.#world = world;
    this.#store = new ModelStore(onEntry);
  }

  get url(): string {
    return modelUrl;
  }

  get outage(): Outage | undefined {
    return this.#store.outage;
  }

  set outage(outage: Outage | undefined) {
    this.#store.outage = outage;
  }

  get length(): number {
    return this.#store.length;
  }

  connect({ link, process, clock }: Handle): EventLog {
    return new ModelLog({ world: this.#world, store: this.#store, link, process, clock });
  }

  scribble(id: EntryId, bytes: Uint8Array): boolean {
    this.#store.put({ id, base: 0, bytes });
    return true;
  }

  begin(): void {
    // It has no traps.
  }

  heal(): void {
    // Nor does it need healing.
  }

  wipe(): void {
    this.#store.wipe();
  }

  restore(length: number): void {
    this.#store.rollBack(length);
  }
}
