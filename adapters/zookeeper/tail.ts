/**
 * The gapless tail: read segment after segment by number, then wait until the next number exists.
 *
 * A watch only wakes it. It tells once and of one node: of the number that comes next, and of the node that says which
 * segment is open. After every wake the numbers are read again, and the watch is set in the same breath as the look that
 * finds nothing, or stands since before that look, so that nothing falls between. When a later segment is open before the last look at this one, this one is
 * complete: an append is refused unless its segment is the one that is open.
 *
 * On every new channel the tail first makes sure that the channel shows all that it has seen elsewhere, and that the last
 * entry it delivered stands where it stood, or was the last that was trimmed: a store that was restored from a backup has the same log id, and uses the same
 * numbers again.
 */

import { cancelScope } from '../../core/lib/cancel-scope.ts';
import { backoffMs } from '../../core/log/backoff.ts';
import type { LogEntry } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Random } from '../../core/ports/random.ts';
import { trimmed } from '../log-faults.ts';
import { type Cursor, readSegment } from './catch-up.ts';
import type { Channel } from './channel.ts';
import type { Connection } from './connection.ts';
import { judge, readError, ZookeeperCallError } from './errors.ts';
import { placeText, standingOf } from './floor.ts';
import { firstSegment } from './keys.ts';
import { resyncDelayMsMax, resyncDelayMsMin, tailPollMs } from './limits.ts';
import type { EntryMark, LogScope } from './transactions.ts';
import { assertFresh, parsePosition, readOpen } from './transactions.ts';

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
  /** The last entry delivered. */
  #last: EntryMark;
  /** In a row, without a channel on which the last entry was found between them. */
  #failures = 0;
  #wake: () => void = () => undefined;
  #hasNews = false;
  #mayHaveRolled = true;
  /** The number whose watch is set and has not fired, by its path. */
  #watched: string | undefined;

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
  }

  /** @throws WeftError `log-ahead`, `log-trimmed`, `log-mismatch`, `log-damaged`, `store-auth` */
  async *run(): AsyncGenerator<LogEntry, void> {
    while (!this.#signal.aborted) {
      try {
        const channel = await this.#connection.channel(this.#signal);
        yield* this.#follow(channel);
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  /** Waits before the next try, or throws what no waiting mends. */
  async #recover(error: unknown): Promise<void> {
    if (!(error instanceof ZookeeperCallError)) throw error;
    if (this.#signal.aborted) return;
    // What was not sent was counted where no connection was to be had.
    if (error.stage !== 'not-sent') this.#connection.noteFailure(error);
    if (judge(error) === 'store-auth') throw readError(error, 'read the log at', this.#scope.url);
    this.#failures += 1;
    this.#ports.logger.debug('the log cannot be read', { reason: error.message });
    await this.#ports.clock.sleep(backoffMs(this.#failures, resyncDelays, this.#ports.random), this.#signal);
  }

  async *#follow(channel: Channel): AsyncGenerator<LogEntry, void> {
    await assertFresh(this.#scope, channel, this.#signal);
    const start = await this.#start(channel);
    this.#failures = 0;
    this.#mayHaveRolled = true;
    this.#watched = undefined;
    const openPath = this.#scope.paths.open;
    const deaf = channel.listen((path) => {
      if (path === openPath) this.#mayHaveRolled = true;
      this.#watched = undefined;
      this.#hasNews = true;
      this.#wake();
    });
    try {
      yield* this.#entries(channel, start);
    } finally {
      deaf();
    }
  }

  async *#entries(channel: Channel, start: Cursor): AsyncGenerator<LogEntry, void> {
    let cursor = start;
    let open = 0;
    while (!this.#signal.aborted) {
      this.#hasNews = false;
      if (this.#mayHaveRolled) {
        this.#mayHaveRolled = false;
        open = await readOpen(this.#scope, channel, this.#signal, true);
      }
      cursor = yield* this.#deliver(readSegment(this.#scope, channel, cursor, this.#signal));
      if (cursor.segment < open) {
        cursor = { segment: cursor.segment + 1, next: 0 };
        continue;
      }
      const isThere = await this.#watch(channel, this.#scope.paths.entry(cursor.segment, cursor.next));
      this.#connection.noteSuccess();
      if (!isThere) await this.#quiet(channel);
    }
  }

  /** Whether a number exists already, once it is watched. Of one that is watched since before the last look, that look told. */
  async #watch(channel: Channel, path: string): Promise<boolean> {
    if (path === this.#watched) return false;
    this.#watched = path;
    return (await channel.exists(path, this.#signal, true)) !== undefined;
  }

  /** Passes entries on, and remembers the last one: it counts as delivered once it was handed over. */
  async *#deliver<R>(entries: AsyncGenerator<LogEntry, R>): AsyncGenerator<LogEntry, R> {
    for (;;) {
      const next = await entries.next();
      if (next.done === true) return next.value;
      this.#last = parsePosition(next.value.position) ?? this.#last;
      yield next.value;
      if (this.#signal.aborted) throw new ZookeeperCallError('cancelled', 'the tail was cancelled');
    }
  }

  /** Until a watch fires, the channel ends, or it is time to look whether the channel is still alive. */
  async #quiet(channel: Channel): Promise<void> {
    if (this.#hasNews || channel.end !== undefined) return;
    using scope = cancelScope(this.#signal);
    this.#wake = scope.cancel;
    channel.life.addEventListener('abort', scope.cancel, { once: true });
    await this.#ports.clock.sleep(tailPollMs, scope.signal);
    channel.life.removeEventListener('abort', scope.cancel);
    this.#wake = () => undefined;
  }

  /** Where to go on: behind the last entry, which must be there, or be the last that was trimmed. */
  async #start(channel: Channel): Promise<Cursor> {
    const { segment, sequence } = this.#last;
    const { type } = await standingOf(this.#scope, channel, this.#last, this.#signal);
    if (type === 'trimmed') throw trimmed(this.#scope.url, placeText(this.#last));
    return segment === 0 ? { segment: firstSegment, next: 0 } : { segment, next: sequence + 1 };
  }
}
