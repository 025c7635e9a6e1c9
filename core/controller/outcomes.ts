/** Callers that wait for the fold to decide on a record of theirs. */
import { WeftError } from '../errors.ts';
import { seenAt } from '../fold/record-memory.ts';
import type { State } from '../fold/state.ts';
import type { RecordId } from '../model/ids.ts';
import type { Step } from './control.ts';

interface Waiting {
  resolve(step: Step): void;
  reject(error: WeftError): void;
}

export class Outcomes {
  readonly #waiting = new Map<RecordId, Waiting>();

  /**
   * Resolves with the step that decides on the record, or rejects with `outcome-unknown` where this host leapt over it.
   * `forget` ends the wait; the promise then stays pending.
   */
  expect(record: RecordId): { readonly decided: Promise<Step>; readonly forget: () => void } {
    const decided = new Promise<Step>((resolve, reject) => this.#waiting.set(record, { resolve, reject }));
    return { decided, forget: () => this.#waiting.delete(record) };
  }

  /** To be called with every step, in order. */
  settle(step: Step): void {
    const id = step.outcome.record;
    if (id === undefined || isRepetition(step)) return;
    this.#waiting.get(id)?.resolve(step);
    this.#waiting.delete(id);
  }

  /** To be called with the state that a leap led to: it knows which records were decided on, and not how. */
  passOver({ memory, ordinal }: State): void {
    for (const [record, { reject }] of this.#waiting) {
      const at = seenAt(memory, record, ordinal);
      if (at === undefined) continue;
      this.#waiting.delete(record);
      reject(leaptOver(record, at));
    }
  }
}

/** A second copy of a record that was decided on before says nothing about the first. */
function isRepetition(step: Step): boolean {
  return !step.outcome.accepted && step.outcome.code === 'duplicate';
}

function leaptOver(record: RecordId, ordinal: number): WeftError {
  return new WeftError(
    'outcome-unknown',
    `The request was decided on as record ${ordinal} of the log, but this host was behind and went on from a ` +
      'snapshot without seeing how: look at the state, or at `weft log` of another host',
    { details: { record } },
  );
}
