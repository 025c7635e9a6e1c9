/**
 * What callers were told, against the log: success means carried out, a refusal means that the fold has refused, and
 * "not carried out" means never. The log is known whole, so every answer can be judged, also long after it was given.
 */
import { isWeftError } from '../../../core/errors.ts';
import type { RecordKind } from '../../../core/log/record.ts';
import type { World } from '../world/world.ts';
import type { TrueStep, Truth } from './truth.ts';
import { Violation } from './violation.ts';

/** One request of a client. Its name is in the records that come of it, as who asked. */
export interface Call {
  readonly name: string;
  /** The record that carries it out. */
  readonly kind: RecordKind;
  readonly steps: TrueStep[];
  told: 'nothing' | 'success' | 'refused' | 'never' | 'unknown';
}

/** After these the request may have been carried out, or may yet be. */
const unknownCodes = ['outcome-unknown', 'closed', 'kernel', 'internal'] as const;
/** What must be said only of a store that was lost or written over, which none is before the ending. */
const lossCodes = ['log-damaged', 'log-mismatch', 'log-ahead', 'entry-conflict'] as const;

export class RequestMonitor {
  readonly #world: World;
  readonly #truth: () => Truth;
  readonly #calls = new Map<string, Call>();

  constructor(world: World, truth: () => Truth) {
    this.#world = world;
    this.#truth = truth;
  }

  begin(name: string, kind: RecordKind): Call {
    const call: Call = { name, kind, steps: [], told: 'nothing' };
    this.#calls.set(name, call);
    return call;
  }

  /** A record came to the log. */
  take(step: TrueStep): void {
    const call = this.#calls.get(step.record?.by ?? '');
    if (call === undefined || step.record?.kind !== call.kind) return;
    call.steps.push(step);
    if (call.told === 'never')
      this.#fail('I7', `${call.name} was told that it is not carried out, and now is`);
    if (call.told === 'unknown') this.#world.met('unknown request carried out later');
  }

  /** @param id of what the caller was given */
  succeeded(call: Call, id: string): void {
    call.told = 'success';
    const step = call.steps.find(({ outcome }) => outcome.accepted);
    if (step === undefined)
      return this.#fail('I27', `${call.name} succeeded, and no record of it was accepted`);
    const { outcome } = step;
    const subject = outcome.accepted ? outcome.subject : undefined;
    const known = subject?.type === 'host' ? subject.name : subject?.id;
    if (known !== id) this.#fail('I27', `${call.name} was given ${id} for ${known}`);
    this.#world.checked('I27');
  }

  failed(call: Call, error: unknown): void {
    if (!isWeftError(error))
      return this.#fail('I27', `${call.name} failed with no error of weft: ${String(error)}`);
    this.#world.met(`answer ${error.code}`);
    const isLoss = (each: unknown): boolean =>
      isWeftError(each) && lossCodes.some((code) => code === each.code || isLoss(each.cause));
    if (!this.#world.isLost && isLoss(error))
      return this.#fail('I28', `${call.name} was told of a loss, and the log is whole: ${error.message}`);
    const ordinal = error.details['ordinal'];
    if (typeof ordinal === 'number') return this.#refused(call, error.code, ordinal);
    if (error.code === 'internal') return this.#fail('I27', `${call.name}: ${error.message}`);
    if (error.code === 'attach-failed') return this.#takenBack(call, error.message);
    call.told = unknownCodes.some((code) => code === error.code) ? 'unknown' : 'never';
    if (call.told === 'never' && call.steps.length > 0) {
      this.#fail('I7', `${call.name} was told ${error.code}, and is in the log`);
    }
    this.#world.checked('I7');
  }

  #refused(call: Call, code: string, ordinal: number): void {
    call.told = 'refused';
    const step = this.#truth().steps[ordinal - 1];
    const { outcome } = step ?? {};
    if (
      outcome === undefined ||
      outcome.accepted ||
      outcome.code !== code ||
      step?.record?.by !== call.name
    ) {
      this.#fail('I12', `${call.name} was refused with ${code} at ${ordinal}, where the log says otherwise`);
    }
    if (call.steps.some((other) => other.outcome.accepted)) {
      this.#fail('I7', `${call.name} was refused with ${code}, and another record of it was accepted`);
    }
    this.#world.checked('I7');
  }

  #takenBack(call: Call, message: string): void {
    call.told = 'refused';
    const outcome = call.steps.find((step) => step.outcome.accepted)?.outcome;
    const id =
      outcome?.accepted === true && outcome.subject.type === 'endpoint' ? outcome.subject.id : undefined;
    if (id === undefined)
      return this.#fail('I27', `${call.name} was taken back without having been carried out`);
    const isKept = this.#truth().state.endpoints.has(id);
    if (isKept && message.endsWith('nothing was kept')) {
      this.#fail('I27', `${call.name} was told that nothing was kept, and ${id} was`);
    }
    this.#world.checked('I27');
  }

  #fail(invariant: string, seen: string): void {
    this.#world.fail(new Violation(invariant, seen));
  }
}
