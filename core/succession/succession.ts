/**
 * How a host gets from the log that it followed to the one that succeeds it: after a loss in the same store, after a seal
 * in another one. Looks again and again; nothing of the host changes before the proof that the log goes on from it.
 */
import { readEntries } from '../controller/entry-pages.ts';
import { isWeftError, WeftError } from '../errors.ts';
import type { NextLog } from '../fold/course.ts';
import { backoffMs } from '../log/backoff.ts';
import type { EventLog, Position, WithoutLog } from '../log/event-log.ts';
import type { LogId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compression } from '../ports/compression.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import { beginSuccessor, persistently, type Successor } from './begin-successor.ts';
import type { CurrentLog } from './current-log.ts';
import { beginTurnMsMax, lookPauses } from './defaults.ts';
import { type Followed, findStart, type Start } from './find-start.ts';
import { beginningOf } from './first-record.ts';

export interface SuccessionPorts {
  readonly current: CurrentLog;
  /** A log by the URL of its store, with this host's credentials for it; not opened. @throws WeftError `bad-store-url`… */
  connect(url: string): Promise<EventLog>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly compression: Compression;
}

/** Where a host goes on. */
export interface Landing extends Start {
  readonly logId: LogId;
}

/** A host's stand in the log that it leaves. */
export interface Stand extends Followed {
  readonly position: Position;
}

export class Succession {
  readonly #ports: SuccessionPorts;
  readonly #host: string;

  constructor(ports: SuccessionPorts, host: string) {
    this.#ports = ports;
    this.#host = host;
  }

  /**
   * Waits until the store has the log again that was lost, or one that succeeds it, and makes it the current one. A log that
   * is damaged is not gone back to, however it looks the next time.
   *
   * @param loss why it is not followed any more
   * @param onReason is told why it cannot go on yet, whenever that is another reason than before
   * @returns undefined when `signal` aborts
   */
  afterLoss(
    stand: Stand,
    loss: WeftError,
    signal: CancelSignal,
    onReason: (reason: WeftError) => void,
  ): Promise<Landing | undefined> {
    const { url } = this.#ports.current;
    return this.#patiently(url, 'refuse', signal, onReason, async (log, logId) => {
      if (isWeftError(loss, 'log-damaged') && logId === stand.logId) throw loss;
      return await this.#again(log, logId, stand, signal);
    });
  }

  /** Waits until the log to which the seal leads can be followed, and makes it the current one. As `afterLoss`. */
  afterSeal(
    next: NextLog,
    stand: Stand,
    signal: CancelSignal,
    onReason: (reason: WeftError) => void,
  ): Promise<Landing | undefined> {
    const waiting = (error: WeftError): void => {
      this.#ports.current.waitFor(`the cluster has moved to ${next.url}: ${error.message}`);
      onReason(error);
    };
    this.#ports.current.waitFor(`the cluster moves to ${next.url}`);
    return this.#patiently(next.url, 'refuse', signal, waiting, async (log, logId) => {
      if (logId === next.logId) await this.#begunBySomebody(log, stand, signal);
      return await findStart(log, logId, stand, this.#startPorts(), signal);
    });
  }

  /**
   * Writes the log that was lost back into its store, from what this host knows.
   *
   * @param discard the log that is to be removed from the store before, where it is that one
   * @throws WeftError `log-exists` where the store has the log that this host follows, or another one
   */
  async reseed(
    stand: Stand,
    discard: LogId | undefined,
    by: string,
    signal: CancelSignal,
  ): Promise<Successor> {
    const log = await this.#ports.connect(this.#ports.current.url);
    try {
      await this.#requireLost(stand, discard, signal);
      if (discard !== undefined) await this.#discard(log, discard, signal);
      return await beginSuccessor(log, { ...stand, host: this.#host, by }, this.#ports, signal);
    } finally {
      await log.close();
    }
  }

  /** Begins an empty log at a URL, for the cluster to move to. @throws WeftError `log-exists` */
  async prepare(url: string, signal: CancelSignal): Promise<NextLog> {
    const log = await this.#ports.connect(url);
    try {
      const logId = await log.open(signal);
      const first = await beginningOf(log, this.#ports.clock, signal);
      const isEmpty = first === 'empty' && (await log.snapshots.list(signal)).length === 0;
      if (isEmpty) return { logId, url: log.url };
      throw new WeftError(
        'log-exists',
        `Cannot move to ${log.url}: it has log ${logId} already; nothing was changed, name an empty store or another prefix`,
      );
    } finally {
      await log.close();
    }
  }

  /** The log itself, where it is there again; otherwise one that goes on from it. */
  async #again(log: EventLog, logId: LogId, stand: Stand, signal: CancelSignal): Promise<Start> {
    const { state, position } = stand;
    if (logId !== stand.logId || state.ordinal === 0)
      return await findStart(log, logId, stand, this.#startPorts(), signal);
    try {
      await this.#requireHere(log, position, signal);
    } catch (error) {
      // It may have been trimmed meanwhile by those who followed it all the time.
      if (!isWeftError(error, 'log-trimmed')) throw error;
      const start = await findStart(log, logId, stand, this.#startPorts(), signal);
      if (start.state.ordinal > state.ordinal) return start;
      throw error;
    }
    return { position, state, newestSnapshot: 0 };
  }

  /** Whether the log has the entry that was followed last. @throws WeftError as `EventLog.tail` */
  async #requireHere(log: EventLog, position: Position, signal: CancelSignal): Promise<void> {
    const until = await log.head(signal);
    await readEntries(log, this.#ports.clock, { after: position, until }, signal, 1);
  }

  /** Whoever sealed the log begins the next one; where that does not come about, any host does. */
  async #begunBySomebody(log: EventLog, stand: Stand, signal: CancelSignal): Promise<void> {
    const { clock, random } = this.#ports;
    if ((await beginningOf(log, clock, signal)) !== 'empty') return;
    await clock.sleep(beginTurnMsMax * random.unit(), signal);
    if (signal.aborted) return;
    const predecessor = { ...stand, host: this.#host, by: 'daemon' };
    await beginSuccessor(log, predecessor, this.#ports, signal);
  }

  /** Where another operator was faster, what he has begun is looked at next. */
  async #discard(log: EventLog, logId: LogId, signal: CancelSignal): Promise<void> {
    try {
      await persistently(() => log.discard(logId, signal), this.#ports, signal);
      this.#ports.logger.warn('discarded a log', { store: log.url, logId });
    } catch (error) {
      if (!isWeftError(error, 'log-mismatch')) throw error;
    }
  }

  /** Sees that the store has no log that this host could follow, nor the one of that name unless it may be discarded. */
  async #requireLost(stand: Stand, discard: LogId | undefined, signal: CancelSignal): Promise<void> {
    const { connect, current } = this.#ports;
    const log = await connect(current.url);
    try {
      if ((await log.open(signal, 'refuse')) !== stand.logId) return;
      const isHere = await this.#isHere(log, stand, signal);
      if (isHere || discard !== stand.logId) throw isThere(log.url, stand.logId, isHere);
    } catch (error) {
      const isGone = isWeftError(error, 'no-log') || isWeftError(error, 'store-unreachable');
      const isHalfGone = isWeftError(error, 'log-damaged') && discard !== undefined;
      if (!isGone && !isHalfGone) throw error;
    } finally {
      await log.close();
    }
  }

  /** Whether this host can go on in the log where it stands. */
  async #isHere(log: EventLog, stand: Stand, signal: CancelSignal): Promise<boolean> {
    try {
      await this.#requireHere(log, stand.position, signal);
      return true;
    } catch (error) {
      if (isWeftError(error, 'log-trimmed')) return true;
      const isOther = (['log-ahead', 'log-mismatch', 'log-damaged'] as const).some((code) =>
        isWeftError(error, code),
      );
      if (!isOther) throw error;
      return false;
    }
  }

  async #patiently(
    url: string,
    withoutLog: WithoutLog,
    signal: CancelSignal,
    onReason: (reason: WeftError) => void,
    start: (log: EventLog, logId: LogId) => Promise<Start>,
  ): Promise<Landing | undefined> {
    const { connect, current, clock, random } = this.#ports;
    let said: string | undefined;
    for (let looks = 1; !signal.aborted; looks += 1) {
      const log = await connect(url);
      try {
        const logId = await log.open(signal, withoutLog);
        const landing = { ...(await start(log, logId)), logId };
        await current.replace(log);
        return landing;
      } catch (error) {
        await log.close();
        if (!isWeftError(error)) throw error;
        if (said !== error.message && !signal.aborted) onReason(error);
        said = error.message;
      }
      await clock.sleep(backoffMs(looks, lookPauses, random), signal);
    }
    return undefined;
  }

  #startPorts() {
    const { clock, compression, logger } = this.#ports;
    const skip = (reason: string): void => logger.error('a snapshot cannot be used', { reason });
    return { clock, compression, skip };
  }
}

function isThere(url: string, logId: LogId, isHere: boolean): WeftError {
  const advice = isHere
    ? 'and this host can follow it'
    : `but not as this host knows it: where it is an old backup that nobody needs, add \`--discard-log ${logId}\``;
  return new WeftError(
    'log-exists',
    `Cannot write log ${logId} back to ${url}: it is there, ${advice}; nothing was changed`,
  );
}
