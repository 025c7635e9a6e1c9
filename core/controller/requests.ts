/**
 * One request, end to end: a record is made, appended, and its outcome awaited in the local fold.
 *
 * The caller hears of success only when the fold has accepted the record, of refusal only when it has rejected it, and
 * of failure only when the record can never take effect. Everything else is `outcome-unknown`.
 */
import { WeftError } from '../errors.ts';
import type { Accepted } from '../fold/outcome.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import type { Appender } from '../log/appender.ts';
import { type BodyOf, type LogRecord, type RecordKind, recordVersion } from '../log/record.ts';
import { encodeRecord } from '../log/record-codec.ts';
import type { RecordId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { RequestContext, Step } from './control.ts';
import { appendDeadlineMs, requestDeadlineMs } from './defaults.ts';
import type { Outcomes } from './outcomes.ts';

/** Who writes the records of this host, at which point of the log. */
export interface Author {
  readonly host: string;
  readonly epoch: number;
  /** Ordinal applied so far. */
  readonly base: number;
}

/** A line that is in a log, or on its way, and not decided on. */
interface UndecidedLine {
  readonly line: Uint8Array;
  readonly base: number;
  /** When its caller stops waiting, on the monotonic clock. */
  readonly untilMs: number;
  /** What became of the last time that it was submitted. */
  appended: Promise<void>;
}

/** A step whose record was accepted. */
export type AcceptedStep = Step & { readonly outcome: Accepted };

export class Requests {
  readonly #appender: Appender;
  readonly #outcomes: Outcomes;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #undecidedLines = new Map<RecordId, UndecidedLine>();

  constructor(
    appender: Appender,
    outcomes: Outcomes,
    ports: { readonly clock: Clock; readonly random: Random },
  ) {
    this.#appender = appender;
    this.#outcomes = outcomes;
    this.#clock = ports.clock;
    this.#random = ports.random;
  }

  newRecordId(): RecordId {
    return this.#random.hex(16) as RecordId;
  }

  /** The record that a request would be. */
  draft<K extends RecordKind>(
    author: Author,
    kind: K,
    body: BodyOf<K>,
    by: string,
    id: RecordId = this.newRecordId(),
  ): LogRecord {
    return {
      v: recordVersion,
      id,
      host: author.host,
      epoch: author.epoch,
      base: author.base,
      at: Math.trunc(this.#clock.wallMs()),
      by,
      kind,
      body,
    } as unknown as LogRecord;
  }

  /**
   * The log has ended, and another one succeeds it. What was appended behind its end is no part of it, so all that is not
   * decided is appended once more; the fold knows by its id what it has decided already.
   */
  carryOver(): void {
    for (const undecided of this.#undecidedLines.values()) {
      const { line, base, untilMs } = undecided;
      undecided.appended = this.#appender.submit(line, base, untilMs - this.#clock.monotonicMs());
      // Where the first time came to something its caller waits for the decision alone.
      undecided.appended.catch(() => undefined);
    }
  }

  /**
   * Appends a record and waits for the fold's decision.
   *
   * @throws WeftError with the fold's code when it is rejected; `store-unreachable` when it was not and will not be
   *   appended; `outcome-unknown` after `requestDeadlineMs` or when the store was lost in the middle; `closed` when the
   *   context's signal aborts, with the record possibly taking effect
   */
  async perform<K extends RecordKind>(
    author: Author,
    kind: K,
    body: BodyOf<K>,
    context: RequestContext,
    id: RecordId = this.newRecordId(),
  ): Promise<AcceptedStep> {
    const record = this.draft(author, kind, body, context.by, id);
    const step = await this.#appendAndWait(encodeRecord(record), record, context.signal);
    if (step.outcome.accepted) return { ...step, outcome: step.outcome };
    throw new WeftError(step.outcome.code, step.outcome.message, {
      details: { ordinal: step.outcome.ordinal, record: id },
    });
  }

  /** The decision may come by the tail before the append is acked, or although its ack was lost: whichever is first. */
  async #appendAndWait(line: Uint8Array, record: LogRecord, signal: CancelSignal): Promise<Step> {
    const { decided, forget } = this.#outcomes.expect(record.id);
    using scope = cancelScope(signal);
    const untilMs = this.#clock.monotonicMs() + requestDeadlineMs;
    const appended = this.#appender.submit(line, record.base, appendDeadlineMs);
    const undecided: UndecidedLine = { line, base: record.base, untilMs, appended };
    this.#undecidedLines.set(record.id, undecided);
    try {
      return await Promise.race([
        decided,
        appendedAtLast(undecided).then(() => this.#undecided(record.id, untilMs, scope.signal)),
        this.#cancelled(scope.signal),
      ]);
    } finally {
      this.#undecidedLines.delete(record.id);
      forget();
    }
  }

  /** The record is in the log, but its outcome does not come back: the tail is cut off. */
  async #undecided(record: RecordId, untilMs: number, signal: CancelSignal): Promise<never> {
    await this.#clock.sleep(untilMs - this.#clock.monotonicMs(), signal);
    throw new WeftError(
      'outcome-unknown',
      'The request is in the log, but the store was lost before its outcome came back: ' +
        'look at the state once the store is reachable again',
      { details: { record } },
    );
  }

  async #cancelled(signal: CancelSignal): Promise<never> {
    if (!signal.aborted) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    }
    throw new WeftError(
      'closed',
      'The caller went away before the outcome was known; the request may have taken effect',
    );
  }
}

/** A line that was carried over to another log has failed only when it has failed there too: until then it may come about. */
async function appendedAtLast(undecided: UndecidedLine): Promise<void> {
  for (;;) {
    const { appended } = undecided;
    try {
      return await appended;
    } catch (error) {
      if (undecided.appended === appended) throw error;
    }
  }
}

type ChangeOf<T extends Step['changes'][number]['type']> = Extract<Step['changes'][number], { type: T }>;

/** The change that an accepted record of its kind always makes. */
export function only<T extends Step['changes'][number]['type']>(step: AcceptedStep, type: T): ChangeOf<T> {
  const found = step.changes.find((change): change is ChangeOf<T> => change.type === type);
  if (found === undefined)
    throw new WeftError('internal', `An accepted ${step.outcome.kind} made no '${type}' change`);
  return found;
}
