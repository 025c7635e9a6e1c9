/**
 * Hashes along the log, kept so that a replay of it elsewhere can tell where it parted from this host. Bounded: the
 * pause between two grows with the log, so that they always span all of it.
 */
import type { State } from '../fold/state.ts';
import type { Checkpoint } from './control.ts';
import { checkpointStrideOrdinals, checkpointsMax } from './defaults.ts';

export class Checkpoints {
  #kept: Checkpoint[] = [];
  #stride = checkpointStrideOrdinals;

  /** To be told of every state, in order; keeps few. */
  push({ ordinal, recordHash, stateHash }: State): void {
    if (ordinal % this.#stride !== 0) return;
    this.#kept.push({ ordinal, recordHash, stateHash });
    if (this.#kept.length <= checkpointsMax) return;
    this.#stride *= 2;
    this.#kept = this.#kept.filter((checkpoint) => checkpoint.ordinal % this.#stride === 0);
  }

  /** Oldest first. */
  list(): readonly Checkpoint[] {
    return [...this.#kept];
  }
}
