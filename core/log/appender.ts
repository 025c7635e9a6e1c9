/**
 * Group commit: the one way by which this host's records enter the log.
 *
 * Records that wait while an append is in flight go out together as the next entry, in the order in which they were
 * submitted (FIFO), one entry in flight at a time. What a caller is told is the truth, or that it is not known:
 *
 * - A line is only *queued* until an attempt to append it may have happened. A queued line whose deadline passes is
 *   refused with `store-unreachable` and never sent, whatever becomes of those around it: an attempt of which the
 *   adapter says that nothing happened nor will happen puts its lines back into the queue, and the next attempt is
 *   another entry, of the lines that still wait, under a new id.
 * - As soon as an attempt *may* have happened the entry is fixed: the same bytes under the same id on every retry, at a
 *   bounded pace with jitter, until acked or until nobody waits for it. Its lines are told `outcome-unknown` when their
 *   deadlines pass, and the log is asked after it in the background (`unknown-outcomes.ts`).
 *
 * **May the next entry be sent while one is of unknown outcome?** While somebody waits for it: no, it is retried and the
 * next one waits its turn. Once nobody does: yes, although it may then land behind the next one. Records do not depend
 * on each other; the fold decides each where it stands in the log, and rejects one whose author's life has ended or
 * whose base is too old, so a straggler does no harm. Only a caller who waited for the first would care for the order,
 * and each of those has been told that the outcome is unknown. To wait instead would make of one lost answer an outage
 * of this host without end. To go on retrying it instead would carry out what everyone has given up.
 */
import { WeftError } from '../errors.ts';
import { assert } from '../lib/assert.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { Wake } from '../lib/wake.ts';
import { entryBytesMax, entryRecordsMax, recordBytesMax } from '../limits.ts';
import type { EntryId } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import { type AttemptAnswer, attemptAppend } from './append-attempt.ts';
import { type AppenderOptions, appenderDefaults } from './appender-options.ts';
import { backoffMs } from './backoff.ts';
import { encodeEntry } from './entry.ts';
import { type EntryDraft, type EventLog, genesis, type Position } from './event-log.ts';
import { UnknownOutcomes } from './unknown-outcomes.ts';

/** Ends a line in an entry; a record of one line cannot hold it. */
const newline = 0x0a;

/** A submitted line and the caller who waits for it. */
interface Waiter {
  readonly line: Uint8Array;
  readonly base: number;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  readonly resolve: () => void;
  readonly reject: (error: WeftError) => void;
}

export class Appender {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #options: AppenderOptions;
  readonly #position: () => Position;
  readonly #unknown: UnknownOutcomes;
  readonly #scope = cancelScope();
  readonly #deadlines = new Wake();
  #queue: Waiter[] = [];
  #pumping: Promise<void> | undefined;
  #expiring: Promise<void> | undefined;
  /** When the queue is next looked through for lines whose time is up. */
  #expiryMs = Number.POSITIVE_INFINITY;
  /** Failed attempts in a row. */
  #failures = 0;

  /** @param position one that the log has now, the later the better: up to where its author has followed it */
  constructor(
    log: EventLog,
    ports: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
    options: Partial<AppenderOptions> = {},
    position: () => Position = () => genesis,
  ) {
    this.#log = log;
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#logger = ports.logger;
    this.#options = { ...appenderDefaults, ...options };
    this.#position = position;
    this.#unknown = new UnknownOutcomes(log, ports, this.#options);
  }

  /** Lines that wait for their turn. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Entries whose outcome nobody waits for and nobody knows. */
  get unresolved(): number {
    return this.#unknown.size;
  }

  /**
   * Appends one record. Resolves once it is durable in the log; lines of one appender are in the log in the order of
   * their submission, but for those of unknown outcome.
   *
   * @param line the encoded record, without a newline; not changed by the caller afterwards
   * @param base the ordinal that this host had applied when it made the record
   * @param deadlineMs how long the caller waits, milliseconds from now
   * @throws WeftError `too-large`, `malformed`, `closed`, `store-full`, `store-auth`, `log-mismatch` and
   *   `store-unreachable`: it is not in the log and never will be; `outcome-unknown`: it may be, or may come to be
   */
  submit(line: Uint8Array, base: number, deadlineMs: number): Promise<void> {
    const refusal = this.#refusalOf(line);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const waiter = { line, base, deadlineMs: this.#clock.monotonicMs() + deadlineMs, resolve, reject };
      this.#queue.push(waiter);
      this.#watchDeadlines([waiter]);
      this.#pumping ??= this.#pump();
    });
  }

  /** The log has ended, and another one succeeds it: what is under way goes on there under the same ids. */
  logChanged(): void {
    this.#unknown.giveUp();
  }

  /**
   * Ends at once: lines that were not sent are refused with `closed`, those in flight with `outcome-unknown` unless the
   * store knows better. Does not close the log. Idempotent.
   */
  async close(): Promise<void> {
    this.#scope.cancel();
    this.#refuseQueued(() => true, closedError);
    await Promise.all([this.#pumping, this.#expiring]);
    await this.#unknown.close();
  }

  #refusalOf(line: Uint8Array): WeftError | undefined {
    if (this.#scope.signal.aborted) return closedError();
    if (line.length > recordBytesMax) {
      return new WeftError(
        'too-large',
        `A record of ${line.length} bytes is over the bound of ${recordBytesMax}: send less in one request`,
      );
    }
    if (line.length === 0 || line.includes(newline)) {
      return new WeftError('malformed', 'A record must be one line of text: it is empty or holds a newline');
    }
    if (this.#queue.length < this.#options.queueLinesMax) return undefined;
    return new WeftError(
      'store-unreachable',
      `The record was not sent, because ${this.#queue.length} others wait for the store: try again later`,
    );
  }

  /** Sends what waits, one entry after the other, until nothing does. */
  async #pump(): Promise<void> {
    // Whoever submits in this same turn belongs to the same entry.
    await Promise.resolve();
    while (this.#queue.length > 0 && !this.#scope.signal.aborted) {
      this.#refuseQueued((waiter) => this.#isDue(waiter), neverSentError);
      const batch = this.#takeBatch();
      if (batch.length === 0) continue;
      const fate = await this.#carry(batch);
      if (fate === 'requeued') await this.#pause(Number.POSITIVE_INFINITY);
    }
    this.#pumping = undefined;
  }

  /** The longest run of waiting lines that one entry holds. */
  #takeBatch(): Waiter[] {
    let bytes = 0;
    let count = 0;
    for (const { line } of this.#queue) {
      bytes += line.length + 1;
      if (count === entryRecordsMax || bytes > entryBytesMax) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  /** Sends one entry until its fate is known or nobody asks for it any more. */
  async #carry(batch: Waiter[]): Promise<'settled' | 'requeued'> {
    const draft = this.#draftOf(batch);
    const after = this.#position();
    let waiting = batch;
    let mayHaveHappened = false;
    let cause: unknown;
    while (waiting.length > 0 && !this.#scope.signal.aborted) {
      const answer = await this.#attempt(draft, waiting);
      if (answer.type === 'acked') {
        for (const waiter of waiting) waiter.resolve();
        return 'settled';
      }
      cause = answer.error;
      if (answer.type === 'unknown') mayHaveHappened = true;
      if (!mayHaveHappened) return this.#withoutTrace(answer, waiting);
      if (answer.type === 'refused') break;
      waiting = refuse(
        waiting,
        (waiter) => this.#isDue(waiter),
        () => unknownError(cause),
      );
      if (waiting.length === 0) break;
      await this.#pause(earliestOf(waiting) - this.#clock.monotonicMs());
      waiting = refuse(
        waiting,
        (waiter) => this.#isDue(waiter),
        () => unknownError(cause),
      );
    }
    refuse(
      waiting,
      () => true,
      () => unknownError(cause),
    );
    this.#unknown.add(draft, batch.length, after);
    return 'settled';
  }

  /** No attempt of this entry left a trace: its lines are refused for good, or are as if they had never been sent. */
  #withoutTrace(answer: AttemptAnswer, waiting: readonly Waiter[]): 'settled' | 'requeued' {
    if (answer.type === 'refused') {
      for (const waiter of waiting) waiter.reject(answer.error);
      return 'settled';
    }
    this.#queue.unshift(...waiting);
    if (this.#scope.signal.aborted) this.#refuseQueued(() => true, closedError);
    this.#watchDeadlines(waiting);
    return 'requeued';
  }

  async #attempt(draft: EntryDraft, waiting: readonly Waiter[]): Promise<AttemptAnswer> {
    const leftMs = Math.max(earliestOf(waiting) - this.#clock.monotonicMs(), 0);
    // Cancelled at the first deadline, so that this caller hears in time whether its record was sent at all.
    const bounds = {
      limitMs: Math.min(this.#options.attemptMsMax, leftMs),
      cancelMsMax: this.#options.cancelMsMax,
    };
    const answer = await attemptAppend(this.#log, draft, this.#clock, bounds, this.#scope.signal);
    this.#note(answer, draft);
    return answer;
  }

  /** One line when trouble begins and one when it ends, not one for each attempt. */
  #note(answer: AttemptAnswer, draft: EntryDraft): void {
    if (answer.type === 'acked' || answer.type === 'refused') {
      if (this.#failures > 0)
        this.#logger.info('the store answers appends again', { attempts: this.#failures });
      this.#failures = 0;
      return;
    }
    this.#failures += 1;
    const values = { entry: draft.id, answer: answer.type, error: answer.error };
    if (this.#failures === 1) this.#logger.warn('an append did not get through; trying on', values);
    else this.#logger.debug('an append did not get through', values);
  }

  /** Waits before the next attempt, but no longer than `limitMs`. */
  async #pause(limitMs: number): Promise<void> {
    const pauseMs = backoffMs(Math.max(this.#failures, 1), this.#options, this.#random);
    await this.#clock.sleep(Math.max(Math.min(pauseMs, limitMs), 0), this.#scope.signal);
  }

  #draftOf(batch: readonly Waiter[]): EntryDraft {
    const bytes = encodeEntry(batch.map(({ line }) => line));
    assert(bytes.length <= entryBytesMax, 'a batch was measured too small');
    return {
      id: this.#random.hex(16) as EntryId,
      // The latest: trimming goes by it, and must not pass an entry of which any record may still be valid.
      base: Math.max(...batch.map(({ base }) => base)),
      bytes,
    };
  }

  /** To be called with lines that have come to the queue. */
  #watchDeadlines(lines: readonly Waiter[]): void {
    if (earliestOf(lines) < this.#expiryMs) this.#deadlines.notify();
    this.#expiring ??= this.#expire();
  }

  /** Refuses queued lines when their time is up, also while an entry is in flight. */
  async #expire(): Promise<void> {
    await Promise.resolve();
    while (this.#queue.length > 0 && !this.#scope.signal.aborted) {
      this.#expiryMs = earliestOf(this.#queue);
      const leftMs = this.#expiryMs - this.#clock.monotonicMs();
      if (leftMs > 0) await this.#deadlines.wait(this.#clock, leftMs, this.#scope.signal);
      this.#refuseQueued((waiter) => this.#isDue(waiter), neverSentError);
    }
    this.#expiryMs = Number.POSITIVE_INFINITY;
    this.#expiring = undefined;
  }

  #refuseQueued(which: (waiter: Waiter) => boolean, error: () => WeftError): void {
    this.#queue = refuse(this.#queue, which, error);
  }

  #isDue(waiter: Waiter): boolean {
    return waiter.deadlineMs <= this.#clock.monotonicMs();
  }
}

/** Rejects those that `which` picks and gives back the others, in their order. */
function refuse(waiters: Waiter[], which: (waiter: Waiter) => boolean, error: () => WeftError): Waiter[] {
  const kept: Waiter[] = [];
  for (const waiter of waiters) {
    if (which(waiter)) waiter.reject(error());
    else kept.push(waiter);
  }
  return kept;
}

function earliestOf(waiters: readonly Waiter[]): number {
  return waiters.reduce(
    (earliest, { deadlineMs }) => Math.min(earliest, deadlineMs),
    Number.POSITIVE_INFINITY,
  );
}

function neverSentError(): WeftError {
  return new WeftError(
    'store-unreachable',
    'The store could not be reached in time; nothing was changed: try again, and see `weft status`',
  );
}

function closedError(): WeftError {
  return new WeftError(
    'closed',
    'The record was not sent, because the daemon is stopping: try again when it runs',
  );
}

function unknownError(cause: unknown): WeftError {
  return new WeftError(
    'outcome-unknown',
    'The store was lost in the middle of the request, which may still be carried out: look before trying again',
    { cause },
  );
}
