/**
 * One fold for all hosts of a life: a line that follows on one state is folded once, and every host that applies it to
 * that very state gets the same result. The fold is pure, so nothing is hidden but its cost; the truth and the audit fold
 * for themselves, and so does every host in some lives.
 */
import { type Applied, apply } from '../../../core/fold/apply.ts';
import type { State } from '../../../core/fold/state.ts';

export class SharedFold {
  readonly #results = new WeakMap<State, Map<string, Applied>>();

  readonly apply = (state: State, line: Uint8Array): Applied => {
    const key = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('latin1');
    const known = this.#results.get(state) ?? new Map<string, Applied>();
    const result = known.get(key) ?? apply(state, line);
    known.set(key, result);
    this.#results.set(state, known);
    return result;
  };
}
