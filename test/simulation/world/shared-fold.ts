/**
 * One fold for the truth and all hosts of a life: a line that follows on one state is folded once, and everybody who
 * applies it to that very state gets the same result. The fold is pure, so nothing is hidden but its cost; the audit folds
 * for itself, and in some lives so do the truth and every host.
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
