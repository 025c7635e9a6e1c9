/**
 * The gapless tail: read by range, then watch; after any trouble read by range again from the last entry delivered.
 *
 * A watch is never trusted to be complete. It is followed only from the revision up to which a range has read, on a member
 * that shows the same cluster and, once the watch is confirmed, still the same log. The head's version counts appends, so
 * a watch that leaves one out is noticed at the next; what is left out last is noticed by an audit. Silence while waiting,
 * an overflow, a compaction, a cancelled or broken stream: all lead to the same resynchronisation.
 */

import type { IKeyValue } from 'etcd3';
import { backoffMs } from '../../core/log/backoff.ts';
import type { LogEntry } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Random } from '../../core/ports/random.ts';
import { damaged, mismatch } from '../log-faults.ts';
import { CatchUp, type CaughtUp } from './catch-up.ts';
import type { Connection } from './connection.ts';
import { EtcdCallError, judge, readError } from './errors.ts';
import {
  callDeadlineMs,
  resyncDelayMsMax,
  resyncDelayMsMin,
  watchAuditMs,
  watchCreateMsMax,
  watchProgressAgainMs,
  watchProgressMs,
  watchSilenceMsMax,
} from './limits.ts';
import type { Member } from './member.ts';
import type { EntryMark, LogHead, LogScope } from './transactions.ts';
import {
  assertFence,
  entryRevision,
  fencedRead,
  headOf,
  kvsOf,
  readKey,
  toPosition,
} from './transactions.ts';
import { type WatchEnd, WatchStream } from './watch.ts';

export interface TailPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const resyncDelays = { retryDelayMsMin: resyncDelayMsMin, retryDelayMsMax: resyncDelayMsMax };

/** Why a tail left its watch and reads by range again. */
type Resync = string;

export class Tail {
  readonly #scope: LogScope;
  readonly #connection: Connection;
  readonly #ports: TailPorts;
  readonly #signal: CancelSignal;
  readonly #catchUp: CatchUp;
  /** The last entry delivered. */
  #last: EntryMark;
  /** In a row, without a confirmed watch between them. */
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
    this.#last = after;
    this.#signal = signal;
    this.#catchUp = new CatchUp(scope, connection);
  }

  /** @throws WeftError `log-ahead`, `log-trimmed`, `log-mismatch`, `log-damaged`, `store-auth` */
  async *run(): AsyncGenerator<LogEntry, void> {
    while (!this.#signal.aborted) {
      const member = this.#connection.preferred;
      try {
        const caughtUp = yield* this.#deliver(this.#catchUp.read(member, this.#last, this.#signal));
        const reason = yield* this.#follow(member, caughtUp);
        this.#ports.logger.info('the watch of the log starts again', { member: member.address, reason });
        await this.#ports.clock.sleep(resyncDelayMsMin, this.#signal);
      } catch (error) {
        await this.#recover(member, error);
      }
    }
  }

  /** Passes entries on, and remembers the last one: it counts as delivered once it was handed over. */
  async *#deliver<R>(entries: AsyncGenerator<LogEntry, R>): AsyncGenerator<LogEntry, R> {
    for (;;) {
      const next = await entries.next();
      if (next.done === true) return next.value;
      this.#last = { revision: Number.parseInt(next.value.position, 10), id: next.value.id };
      yield next.value;
      if (this.#signal.aborted) throw new EtcdCallError('cancelled', 'the tail was cancelled');
    }
  }

  /** Waits before the next try, or throws what no waiting mends. */
  async #recover(member: Member, error: unknown): Promise<void> {
    if (!(error instanceof EtcdCallError)) throw error;
    if (this.#signal.aborted) return;
    this.#connection.noteFailure(member, error);
    this.#failures += 1;
    if (judge(error) === 'store-auth') {
      // Once may be a token that the member forgot in a restart between our read and our watch.
      this.#refusals += 1;
      if (this.#refusals > 1) throw readError(error, 'read the log at', this.#scope.url);
    }
    this.#ports.logger.debug('the log cannot be read', { member: member.address, reason: error.message });
    await this.#ports.clock.sleep(backoffMs(this.#failures, resyncDelays, this.#ports.random), this.#signal);
  }

  async *#follow(member: Member, caughtUp: CaughtUp): AsyncGenerator<LogEntry, Resync> {
    const { clock } = this.#ports;
    const stream = await WatchStream.open(member, this.#scope, caughtUp.revision + 1, clock, this.#signal);
    try {
      await this.#confirm(stream, member, caughtUp);
      return yield* this.#deliver(this.#events(stream, member, caughtUp.head));
    } finally {
      stream.close();
    }
  }

  /** Until both watches stand and the log is known to be the same behind them, nothing of the stream is believed. */
  async #confirm(stream: WatchStream, member: Member, caughtUp: CaughtUp): Promise<void> {
    const { clock } = this.#ports;
    const endMs = clock.monotonicMs() + watchCreateMsMax;
    while (!stream.confirmed && stream.end === undefined && !this.#signal.aborted) {
      const leftMs = endMs - clock.monotonicMs();
      if (leftMs <= 0) throw new EtcdCallError('timed-out', `${member.address} did not confirm a watch`);
      await stream.changed(leftMs, this.#signal);
    }
    if (stream.confirmed && stream.clusterId !== caughtUp.clusterId) {
      throw mismatch(this.#scope, `${member.address} leads to two different clusters`);
    }
    if (!stream.confirmed) return;
    await this.#readHead(member);
    this.#failures = 0;
    this.#refusals = 0;
  }

  async *#events(stream: WatchStream, member: Member, start: LogHead): AsyncGenerator<LogEntry, Resync> {
    let seen = start.count;
    let quietMs = 0;
    let owed: number | undefined;
    while (!this.#signal.aborted) {
      const events = stream.take();
      if (events !== undefined) {
        const counts = this.#appendCounts(events);
        if (counts.some((count, index) => count !== seen + index + 1)) return 'the watch left entries out';
        seen += counts.length;
        quietMs = 0;
        yield* this.#entries(events);
        continue;
      }
      if (owed !== undefined && seen < owed) return 'the watch withholds entries';
      owed = undefined;
      if (stream.end !== undefined) return reasonOf(stream.end);
      if (await this.#quiet(stream)) quietMs += watchProgressMs;
      if (quietMs < watchAuditMs || this.#signal.aborted) continue;
      owed = (await this.#readHead(member)).count;
      quietMs = 0;
      // What the head counts was sent before; one more turn lets it arrive.
      if (owed > seen) await this.#quiet(stream);
    }
    return 'the tail was cancelled';
  }

  /** Waits for the stream's next message. True when none came for an interval; a live server then gets a chance to answer. */
  async #quiet(stream: WatchStream): Promise<boolean> {
    const { clock } = this.#ports;
    // Counted from here: a consumer who took long is not the server's silence.
    const startMs = clock.monotonicMs();
    let waitMs = watchProgressMs;
    while (clock.monotonicMs() - startMs < watchSilenceMsMax && !this.#signal.aborted) {
      const before = stream.messages;
      await stream.changed(waitMs, this.#signal);
      if (stream.messages !== before || stream.end !== undefined) {
        return clock.monotonicMs() - startMs >= watchProgressMs;
      }
      stream.requestProgress();
      waitMs = watchProgressAgainMs;
    }
    if (this.#signal.aborted) return false;
    throw new EtcdCallError('timed-out', `no sign of life from the watch within ${watchSilenceMsMax} ms`);
  }

  /** The counts that the head took in these events: one an append, without a gap. */
  #appendCounts(events: readonly IKeyValue[]): number[] {
    return events
      .filter((kv) => kv.key.equals(this.#scope.keys.head) && Number(kv.mod_revision) > this.#last.revision)
      .map((kv) => Number(kv.version));
  }

  async *#entries(events: readonly IKeyValue[]): AsyncGenerator<LogEntry> {
    for (const kv of events) {
      const id = this.#scope.keys.entryIdOf(kv.key);
      if (id === undefined) continue;
      const revision = entryRevision(this.#scope, kv);
      if (revision === this.#last.revision && id !== this.#last.id) {
        throw damaged(this.#scope.url, `two entries were written at revision ${revision}`);
      }
      if (revision <= this.#last.revision) continue;
      yield { position: toPosition(revision, id), id, bytes: kv.value };
    }
  }

  async #readHead(member: Member): Promise<LogHead> {
    const request = fencedRead(this.#scope, [readKey(this.#scope.keys.head)]);
    const answer = await member.txn(request, { deadlineMs: callDeadlineMs, signal: this.#signal });
    this.#connection.noteSuccess();
    assertFence(this.#scope, answer);
    return headOf(this.#scope, kvsOf(answer, 0)[0]);
  }
}

/** @throws EtcdCallError when the stream broke */
function reasonOf(end: WatchEnd): Resync {
  if (end.type === 'broken') throw end.error;
  return end.type === 'overflow' ? 'the consumer did not keep up' : "the log's identity was written";
}
