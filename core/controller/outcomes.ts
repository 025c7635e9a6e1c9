/** Callers that wait for the fold to decide on a record of theirs. */
import type { RecordId } from '../model/ids.ts';
import type { Step } from './control.ts';

export class Outcomes {
  readonly #waiting = new Map<RecordId, (step: Step) => void>();

  /** Resolves with the step that decides on the record. `forget` ends the wait; the promise then stays pending. */
  expect(record: RecordId): { readonly decided: Promise<Step>; readonly forget: () => void } {
    const decided = new Promise<Step>((resolve) => this.#waiting.set(record, resolve));
    return { decided, forget: () => this.#waiting.delete(record) };
  }

  /** To be called with every step, in order. */
  settle(step: Step): void {
    const id = step.outcome.record;
    if (id === undefined || isRepetition(step)) return;
    this.#waiting.get(id)?.(step);
    this.#waiting.delete(id);
  }
}

/** A second copy of a record that was decided on before says nothing about the first. */
function isRepetition(step: Step): boolean {
  return !step.outcome.accepted && step.outcome.code === 'duplicate';
}
