/**
 * The log on ZooKeeper (3.5 or newer), contention-free: every entry as a sequential node under the segment that is open.
 *
 * An append is one transaction: if this segment of our log is open and the id is not there, make a node for the id and one
 * for the entry. No author races another, no read precedes a write, and no id is in the log twice, whatever became of an
 * attempt whose answer was lost. The order of the log is that of segments, and in a segment that of the numbers which
 * ZooKeeper gives out; a position is both with the entry's id. Paths are in `keys.ts`, transactions in `transactions.ts`,
 * what an error means in `errors.ts`, the tail in `tail.ts`, trimming in `trim.ts` and how far it has come in `floor.ts`;
 * the client's package is met in `channel.ts` alone.
 *
 * Invariants:
 * - An entry and its id are written once, together, and deleted together, behind the floor. A second version of one, or
 *   one that is missing before the floor has come, is damage (`log-damaged`).
 * - Every write names the log in its paths, and every read that promises freshness comes behind a transaction that does.
 * - An append sends at most one transaction that may be carried out; repeating it is its caller's to decide.
 * - Nothing hangs on a session: a lost connection and an expired session are the same to the log.
 */

import { cancelScope } from '../../core/lib/cancel-scope.ts';
import {
  type EntryDraft,
  type EntryRef,
  type EventLog,
  type LogEntry,
  type LogHealth,
  type Position,
  type WithoutLog,
} from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { conflict, damaged, openingCancelled, refusePosition, requireEntryFits } from '../log-faults.ts';
import { Calls } from './calls.ts';
import { type OpenChannel, openChannel } from './channel.ts';
import { Connection } from './connection.ts';
import { discardLog } from './discard.ts';
import { asCallError, completed, readError, ZookeeperCallError, zkCode } from './errors.ts';
import { readHead } from './head.ts';
import { openLog } from './identity.ts';
import { type LogKeys, logKeys, sequenceOf } from './keys.ts';
import { appendTriesMax, segmentEntries } from './limits.ts';
import { type FoundEntry, locate } from './locate.ts';
import { formatZookeeperUrl, type ZookeeperOptions } from './options.ts';
import { ZookeeperPresence } from './presence.ts';
import { ZookeeperSnapshots } from './snapshots.ts';
import { Tail, type TailPorts } from './tail.ts';
import {
  appendOps,
  appendRequest,
  assertFresh,
  gone,
  type LogScope,
  parsePosition,
  readOpen,
  removalOps,
  rollRequest,
  toPosition,
} from './transactions.ts';
import { moveFloor, sweep } from './trim.ts';

/** What tests put something else in place of. */
export interface ZookeeperEventLogParts {
  readonly openChannel: OpenChannel;
  readonly segmentEntries: number;
}

export class ZookeeperEventLog implements EventLog {
  readonly url: string;
  readonly snapshots: ZookeeperSnapshots;
  readonly presence: ZookeeperPresence;
  readonly #ports: TailPorts;
  readonly #keys: LogKeys;
  readonly #connection: Connection;
  readonly #calls: Calls;
  readonly #segmentEntries: number;
  readonly #life = cancelScope();
  /** Set once opened. */
  #scope: LogScope | undefined;
  /** The segment that was open when last seen. */
  #open: number | undefined;
  #rolling: Promise<void> | undefined;

  constructor(options: ZookeeperOptions, ports: TailPorts, parts: Partial<ZookeeperEventLogParts> = {}) {
    this.url = formatZookeeperUrl(options);
    this.#ports = ports;
    this.#keys = logKeys(options.prefix);
    this.#segmentEntries = parts.segmentEntries ?? segmentEntries;
    const open = parts.openChannel ?? openChannel;
    this.#connection = new Connection(options, ports.clock, ports.random, this.#life.signal, open);
    this.#calls = new Calls(this.url, this.#connection, this.#life.signal);
    this.snapshots = new ZookeeperSnapshots(this.#calls, () => this.#opened());
    this.presence = new ZookeeperPresence(this.#calls, () => this.#opened());
  }

  get health(): LogHealth {
    return this.#connection.health;
  }

  async open(signal: CancelSignal, withoutLog: WithoutLog = 'begin'): Promise<LogId> {
    this.#calls.assertLive();
    using call = this.#calls.within(signal);
    const place = { keys: this.#keys, url: this.url };
    try {
      const logId = await this.#connection.read(call.signal, (channel) =>
        openLog(place, channel, this.#ports.random, withoutLog, call.signal),
      );
      this.#scope ??= { keys: this.#keys, paths: this.#keys.log(logId), logId, url: this.url };
      return logId;
    } catch (error) {
      if (call.signal.aborted) throw openingCancelled(this.url, error);
      throw error instanceof ZookeeperCallError ? readError(error, 'open the log at', this.url) : error;
    }
  }

  async append(draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    const scope = this.#opened();
    requireEntryFits(draft.bytes);
    return await this.#calls.write(signal, 'append to', (call) => this.#put(scope, draft, call));
  }

  async resolve(ref: EntryRef, signal: CancelSignal): Promise<Position | undefined> {
    const scope = this.#opened();
    const found = await this.#calls.read(scope, signal, 'look for an entry in', (channel, call) =>
      locate(scope, channel, ref, call),
    );
    return found === undefined || found.isTrimmed ? undefined : toPosition(found.mark);
  }

  async head(signal: CancelSignal): Promise<Position> {
    const scope = this.#opened();
    return await this.#calls.read(scope, signal, 'read the head of', (channel, call) =>
      readHead(scope, channel, call),
    );
  }

  async *tail(after: Position, signal: CancelSignal): AsyncGenerator<LogEntry, void, void> {
    const scope = this.#opened();
    const start = parsePosition(after) ?? refusePosition(this.url, after);
    using call = this.#calls.within(signal);
    yield* new Tail(scope, this.#connection, this.#ports, start, call.signal).run();
  }

  async trim(upTo: Position, signal: CancelSignal): Promise<void> {
    const scope = this.#opened();
    const mark = parsePosition(upTo) ?? refusePosition(this.url, upTo);
    await this.#calls.write(signal, 'trim', async (call) => {
      const channel = await this.#calls.channel(call);
      await moveFloor(scope, this.#calls, channel, mark, call);
      await this.#calls.exchange(channel, () => completed(() => sweep(scope, channel, call)));
    });
  }

  async discard(logId: LogId, signal: CancelSignal): Promise<void> {
    this.#calls.assertLive();
    const place = { keys: this.#keys, url: this.url };
    await this.#calls.write(signal, 'discard', async (call) => {
      const channel = await this.#calls.channel(call);
      await this.#calls.exchange(channel, () => discardLog(place, channel, logId, call));
    });
  }

  async close(): Promise<void> {
    this.#life.cancel();
    await this.#connection.close();
    await this.#rolling;
  }

  /** Tries until the transaction was carried out, its outcome is unknown, or it was refused for good. */
  async #put(scope: LogScope, draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    for (let left = appendTriesMax; left > 0; left -= 1) {
      const channel = await this.#calls.channel(signal);
      this.#open ??= await this.#calls.prepare(channel, signal, () => readOpen(scope, channel, signal));
      const segment = this.#open;
      const request = appendRequest(scope, segment, draft, draft.bytes);
      const outcome = await this.#calls.exchange(channel, () => channel.multi(request, signal));
      if (outcome.type === 'done') return this.#appended(scope, segment, draft, outcome.paths);
      const { index, code } = outcome;
      if (index === appendOps.open && code === zkCode.badVersion) {
        if (this.#open === segment) this.#open = undefined;
      } else if (index === appendOps.open && code === zkCode.noNode) {
        throw await this.#calls.prepare(channel, signal, () => gone(scope, channel, signal));
      } else if (index === appendOps.id && code === zkCode.noNode) {
        const bucket = scope.paths.bucket(draft);
        await this.#calls.prepare(channel, signal, () => channel.create(bucket, signal));
      } else if (index === appendOps.id && code === zkCode.nodeExists) {
        const found = await this.#existing(scope, draft, signal);
        if (found?.isTrimmed === false) return toPosition(found.mark);
        // It counts as gone, and so will its id: what trimming has left over is in the way.
        if (found !== undefined) {
          const removal = removalOps(scope, found.mark, draft);
          await this.#calls.prepare(channel, signal, () => channel.multi(removal, signal));
        }
      } else {
        throw damaged(scope.url, `segment ${segment} takes no entry (code ${code})`);
      }
    }
    throw new ZookeeperCallError('not-sent', `the open segment changed ${appendTriesMax} times meanwhile`);
  }

  #appended(
    scope: LogScope,
    segment: number,
    draft: EntryDraft,
    paths: readonly (string | undefined)[],
  ): Position {
    const sequence = sequenceOf(paths[appendOps.entry] ?? '');
    if (sequence === undefined) throw new Error('Broken invariant: ZooKeeper made an entry without a number');
    if (sequence >= this.#segmentEntries - 1) this.#roll(scope, segment);
    return toPosition({ segment, sequence, id: draft.id });
  }

  /** In the background, one at a time; any author may do it, and the next entry is a reason to try again. */
  #roll(scope: LogScope, segment: number): void {
    if (this.#open !== segment || this.#life.signal.aborted) return;
    this.#rolling ??= this.#tryRoll(scope, segment).finally(() => {
      this.#rolling = undefined;
    });
  }

  async #tryRoll(scope: LogScope, segment: number): Promise<void> {
    try {
      const channel = await this.#connection.channel(this.#life.signal);
      const outcome = await channel.multi(rollRequest(scope, segment), this.#life.signal);
      // Refused: another author did it.
      if (this.#open === segment) this.#open = outcome.type === 'done' ? segment + 1 : undefined;
    } catch (error) {
      this.#ports.logger.debug('no new segment was opened', { reason: asCallError(error).message });
    }
  }

  /**
   * The entry whose id is taken; undefined where it was trimmed in the meantime.
   *
   * @throws WeftError `entry-conflict`, `log-mismatch`, `log-damaged`; ZookeeperCallError of an unknown outcome
   */
  async #existing(scope: LogScope, draft: EntryDraft, signal: CancelSignal): Promise<FoundEntry | undefined> {
    let found: FoundEntry | undefined;
    try {
      found = await this.#connection.read(signal, async (channel) => {
        await assertFresh(scope, channel, signal);
        return await locate(scope, channel, draft, signal);
      });
    } catch (error) {
      // It is in the log, though not by this attempt.
      if (error instanceof ZookeeperCallError) throw new ZookeeperCallError('lost', error.message);
      throw error;
    }
    if (found === undefined || found.isTrimmed || found.bytes.equals(draft.bytes)) return found;
    throw conflict(scope.url, draft.id);
  }

  #opened(): LogScope {
    this.#calls.assertLive();
    if (this.#scope === undefined) throw new Error('Broken invariant: the log was used before it was opened');
    return this.#scope;
  }
}
