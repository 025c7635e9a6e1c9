/**
 * The gapless tail: it reads segment after segment, and the open one again whenever something has changed in it.
 *
 * A blocking query is only a way to sleep: every answer is the whole segment, of which the entries behind the last one
 * delivered are delivered, in the order of their indexes. Before that the answer must agree with all that was read before:
 * the segment begins with the mark that the one before ended with, the last entry is where it was, and no other has
 * appeared or vanished before it. Trimming takes only whole segments away, so what a tail reads stays whole, or all of it is
 * gone; before it begins it asks for the floor. An answer that disagrees may be an old leader's, who does not know yet that he is none; so
 * the store is asked again, linearizably, and what that says is true.
 */

import { backoffMs } from '../../core/log/backoff.ts';
import type { LogEntry } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Random } from '../../core/ports/random.ts';
import { ahead, mismatch, trimmed } from '../log-faults.ts';
import type { StoredKey } from './answers.ts';
import type { Connection } from './connection.ts';
import { ConsulCallError, judge, readError } from './errors.ts';
import { floorOf, isBelow } from './floor.ts';
import {
  callDeadlineMs,
  idleWakeDelayMs,
  listDeadlineMs,
  resyncDelayMsMax,
  resyncDelayMsMin,
  waitMarginMs,
  waitMs,
} from './limits.ts';
import type { Member } from './member.ts';
import { contradictionOf, type Progress, readSegment, type Segment } from './segment.ts';
import {
  assertIdentity,
  type EntryMark,
  fencedRead,
  findKey,
  headOf,
  type LogScope,
  toPosition,
} from './transactions.ts';

export interface TailPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const resyncDelays = { retryDelayMsMin: resyncDelayMsMin, retryDelayMsMax: resyncDelayMsMax };

export class Tail {
  readonly #scope: LogScope;
  readonly #connection: Connection;
  readonly #ports: TailPorts;
  readonly #signal: CancelSignal;
  #progress: Progress;
  /** Whether it was asked if anything behind the position it began from has been trimmed. */
  #isAdmitted = false;
  /** In a row. */
  #failures = 0;
  #refusals = 0;

  constructor(
    scope: LogScope,
    connection: Connection,
    ports: TailPorts,
    after: EntryMark,
    signal: CancelSignal,
  ) {
    this.#scope = scope;
    this.#connection = connection;
    this.#ports = ports;
    this.#progress = { last: after, segment: after.segment, start: undefined, delivered: undefined };
    this.#signal = signal;
  }

  /** @throws WeftError `log-ahead`, `log-trimmed`, `log-mismatch`, `log-damaged`, `store-auth` */
  async *run(): AsyncGenerator<LogEntry, void> {
    while (!this.#signal.aborted) {
      const member = this.#connection.preferred;
      // A connection of its own: a wait of seconds holds up nothing else, and its end is noticed.
      const line = member.line();
      try {
        yield* this.#follow(line);
      } catch (error) {
        await this.#recover(member, error);
      } finally {
        line.close();
      }
    }
  }

  /** Waits before the next try, or throws what no waiting mends. */
  async #recover(member: Member, error: unknown): Promise<void> {
    if (!(error instanceof ConsulCallError)) throw error;
    if (this.#signal.aborted) return;
    this.#connection.noteFailure(member, error);
    this.#failures += 1;
    if (judge(error) === 'store-auth') {
      // Once may be a token that this server has not heard of yet.
      this.#refusals += 1;
      if (this.#refusals > 1) throw readError(error, 'read the log at', this.#scope.url);
    }
    this.#ports.logger.debug('the log cannot be read', { member: member.address, reason: error.message });
    await this.#ports.clock.sleep(backoffMs(this.#failures, resyncDelays, this.#ports.random), this.#signal);
  }

  async *#follow(line: Member): AsyncGenerator<LogEntry, void> {
    if (!this.#isAdmitted) await this.#admit(line);
    let index: number | undefined;
    while (!this.#signal.aborted) {
      const answer = await line.list(
        this.#scope.keys.segment(this.#progress.segment).folder,
        index === undefined ? {} : { index, waitMs },
        { deadlineMs: index === undefined ? listDeadlineMs : waitMs + waitMarginMs, signal: this.#signal },
      );
      const { last } = this.#progress;
      const segment = await this.#believe(
        line,
        readSegment(this.#scope, this.#progress.segment, answer.found),
      );
      this.#noteSuccess();
      yield* this.#deliver(segment);
      if (segment.end !== undefined) {
        this.#moveOn(segment.end);
        index = undefined;
        continue;
      }
      const isIdle = this.#progress.last === last && index !== undefined;
      // An index that went down is that of another history or server: to wait for the old one would be to sleep.
      index =
        index !== undefined && answer.index !== undefined && answer.index < index ? undefined : answer.index;
      if (isIdle || index === undefined) await this.#ports.clock.sleep(idleWakeDelayMs, this.#signal);
    }
  }

  /** What was trimmed may still be there, and is not to be read from its middle. */
  async #admit(line: Member): Promise<void> {
    this.#assertLeft(await this.#readTruth(line, [this.#scope.keys.floor]));
    this.#isAdmitted = true;
  }

  #noteSuccess(): void {
    this.#connection.noteSuccess();
    this.#failures = 0;
    this.#refusals = 0;
  }

  /** Passes on what is new. An entry counts as delivered once it was handed over. */
  async *#deliver({ start, entries }: Segment): AsyncGenerator<LogEntry, void> {
    const { last } = this.#progress;
    for (const [place, entry] of entries.entries()) {
      if (entry.index <= last.index) continue;
      const { index, segment, id, bytes } = entry;
      this.#progress = { last: { index, segment, id }, segment, start, delivered: place + 1 };
      yield { position: toPosition(entry), id, bytes };
      if (this.#signal.aborted) throw new ConsulCallError('cancelled', 'the tail was cancelled');
    }
    // All that is there has been delivered.
    this.#progress = { ...this.#progress, start, delivered: entries.length };
  }

  #moveOn(end: string): void {
    const { last, segment } = this.#progress;
    this.#progress = { last, segment: segment + 1, start: end, delivered: 0 };
  }

  /** The segment if it agrees with all before, otherwise as the store shows it when it is asked linearizably. */
  async #believe(line: Member, segment: Segment): Promise<Segment> {
    if (contradictionOf(segment, this.#progress) === undefined) return segment;
    const { keys } = this.#scope;
    const { folder } = keys.segment(this.#progress.segment);
    const truth = await this.#readTruth(line, [keys.head, keys.floor, folder]);
    const again = readSegment(this.#scope, this.#progress.segment, truth);
    const contradiction = contradictionOf(again, this.#progress);
    if (contradiction === undefined) return again;
    this.#assertLeft(truth);
    const head = headOf(this.#scope, findKey(truth, keys.head));
    const { last } = this.#progress;
    throw head.index < last.index ? ahead(this.#scope.url, last.index) : mismatch(this.#scope, contradiction);
  }

  /** Keys that begin with these, linearizable and believed. @throws ConsulCallError; WeftError `log-mismatch` */
  async #readTruth(line: Member, keys: readonly string[]): Promise<readonly StoredKey[]> {
    const { identity } = this.#scope.keys;
    const limits = { deadlineMs: callDeadlineMs, signal: this.#signal };
    // By itself: where a token may no longer read, Consul refuses this, but leaves keys out of lists in silence.
    assertIdentity(this.#scope, await line.get(identity, limits));
    const answer = await line.transact(fencedRead(this.#scope, keys), {
      ...limits,
      deadlineMs: listDeadlineMs,
    });
    if (answer.type === 'refused')
      throw new ConsulCallError('broken', `a read was refused at ${this.#scope.url}`);
    assertIdentity(this.#scope, findKey(answer.results, identity));
    return answer.results;
  }

  /** @throws WeftError `log-trimmed` when something that was not delivered yet has been trimmed */
  #assertLeft(truth: readonly StoredKey[]): void {
    const floor = floorOf(this.#scope, findKey(truth, this.#scope.keys.floor));
    if (isBelow(this.#progress.last, floor)) throw trimmed(this.#scope.url, this.#progress.last.index);
  }
}
