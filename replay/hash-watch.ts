/** Compares the fold of a replay with the hashes that the daemon had along the log, and keeps the first that differs. */
import type { Checkpoint } from '../core/bundle/lines.ts';
import type { State } from '../core/fold/state.ts';

export interface HashDifference {
  /** The first recorded ordinal at which they differ. */
  readonly at: number;
  /** The last one before at which they were the same; absent where a snapshot was begun from and none lies between. */
  readonly sameAt?: number;
  /** `records`: the log's bytes are others than the daemon folded. `state`: the same bytes folded to another state. */
  readonly what: 'records' | 'state';
}

export class HashWatch {
  readonly #recorded: ReadonlyMap<number, Checkpoint>;
  #sameAt: number | undefined = 0;
  #compared = 0;
  #difference: HashDifference | undefined;

  constructor(checkpoints: Iterable<Checkpoint>) {
    this.#recorded = new Map([...checkpoints].map((checkpoint) => [checkpoint.ordinal, checkpoint]));
  }

  /** The replay begins from a snapshot: what came before is not known to be the same. */
  forgetBefore(): void {
    this.#sameAt = undefined;
  }

  /** To be told of every state, in order. */
  observe({ ordinal, recordHash, stateHash }: State): void {
    const recorded = this.#recorded.get(ordinal);
    if (recorded === undefined) return;
    this.#compared += 1;
    if (this.#difference !== undefined) return;
    if (recorded.recordHash === recordHash && recorded.stateHash === stateHash) {
      this.#sameAt = ordinal;
      return;
    }
    const what = recorded.recordHash === recordHash ? 'state' : 'records';
    this.#difference = { at: ordinal, ...(this.#sameAt === undefined ? {} : { sameAt: this.#sameAt }), what };
  }

  get compared(): number {
    return this.#compared;
  }

  get difference(): HashDifference | undefined {
    return this.#difference;
  }
}
