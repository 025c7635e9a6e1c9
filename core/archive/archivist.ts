/**
 * Writes down what is folded, so that history stays readable when the log is trimmed.
 *
 * Never in the way of folding: records wait in a queue, and where the archive cannot take them for long the oldest are
 * given up and leave a gap. What the archive has already, as after a restart, is not written again. Who trims asks
 * `flush` first.
 */
import type { HistoryItem } from '../controller/control.ts';
import { isWeftError } from '../errors.ts';
import type { PastLog } from '../fold/course.ts';
import type { State } from '../fold/state.ts';
import { assert } from '../lib/assert.ts';
import { Wake } from '../lib/wake.ts';
import type { LogId } from '../model/ids.ts';
import type { Archive, ArchiveAccount, ArchiveLine, ArchiveTurn } from '../ports/archive.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import { itemOf, lineOf, markOf } from './archived-record.ts';
import {
  archiveBatchLines,
  archiveDelayMs,
  archiveIdleMs,
  archiveRetryMs,
  archiveWaitingMax,
} from './defaults.ts';

export interface ArchivistPorts {
  readonly archive: Archive;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ArchivistReport extends ArchiveAccount {
  /** Records that wait to be written. */
  readonly waiting: number;
  /** Records that were given up since the daemon started, because nothing could be written for too long. */
  readonly lost: number;
  /** Why nothing can be written at present. */
  readonly fault?: string;
}

interface Waiting {
  readonly item: HistoryItem;
  /** Marks of the history before the record, and with it. */
  readonly before: string;
  readonly mark: string;
  readonly logId: LogId;
  /** The logs that the record's own succeeds. */
  readonly past: readonly PastLog[];
}

export class Archivist {
  readonly #ports: ArchivistPorts;
  readonly #wake = new Wake();
  #queue: Waiting[] = [];
  #isOpen = false;
  #isClosed = false;
  #lost = 0;
  #fault: string | undefined;
  /** The last line that is known to be there. */
  #last: { readonly ordinal: number; readonly mark: string } | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(ports: ArchivistPorts) {
    this.#ports = ports;
  }

  get report(): ArchivistReport {
    return {
      ...(this.#isOpen ? this.#ports.archive.account : { spans: [], bytes: 0, damage: [] }),
      waiting: this.#queue.length,
      lost: this.#lost,
      ...(this.#fault === undefined ? {} : { fault: this.#fault }),
    };
  }

  /** One record was folded. @param before the state before it @param after the state after it */
  take(item: HistoryItem, before: State, after: State, logId: LogId): void {
    const [markBefore, mark] = [markOf(before.recordHash), markOf(after.recordHash)];
    this.#queue.push({ item, before: markBefore, mark, logId, past: after.course.past });
    if (this.#queue.length > archiveWaitingMax) {
      this.#queue.shift();
      this.#lost += 1;
    }
    this.#wake.notify();
  }

  /** Lives until `signal` aborts, and then writes what still waits. */
  async run(signal: CancelSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      const isDone = await this.#drain();
      if (isDone && this.#queue.length === 0) await this.#wake.wait(clock, archiveIdleMs, signal);
      await clock.sleep(isDone ? archiveDelayMs : archiveRetryMs, signal);
    }
    await this.#drain();
  }

  /** Whether all that was folded up to an ordinal is in the archive, which is written to for that. */
  async flush(ordinal: number): Promise<boolean> {
    await this.#drain();
    const oldest = this.#queue[0]?.item.outcome.ordinal;
    return this.#isOpen && (oldest === undefined || oldest > ordinal);
  }

  /** Writes what still waits, if it can, and ends. Idempotent. */
  async close(): Promise<void> {
    if (this.#queue.length > 0) await this.#drain();
    this.#isClosed = true;
    await this.#ports.archive.close();
  }

  /** Items above an ordinal, ascending; none while the archive cannot be read. */
  async read(query: { readonly after: number; readonly limit: number }): Promise<readonly HistoryItem[]> {
    if (!this.#isOpen) return [];
    try {
      return (await this.#ports.archive.read(query)).map(itemOf);
    } catch (error) {
      if (!isWeftError(error, 'archive-failed')) throw error;
      this.#ports.logger.error('the archive cannot be read', { reason: error.message });
      return [];
    }
  }

  /** Writes all that waits, one caller at a time. False where it cannot. */
  async #drain(): Promise<boolean> {
    const turn = this.#turn.then(() => this.#writeAll());
    this.#turn = turn;
    return await turn;
  }

  async #writeAll(): Promise<boolean> {
    if (this.#isClosed) return false;
    const { archive, logger } = this.#ports;
    try {
      if (!this.#isOpen) {
        await archive.open();
        this.#isOpen = true;
        for (const damage of archive.account.damage) logger.error('the archive is damaged', { damage });
      }
      while (this.#queue.length > 0) await this.#writeSome();
    } catch (error) {
      if (!isWeftError(error, 'archive-failed')) throw error;
      if (this.#fault !== error.message)
        logger.error('the archive cannot be written', { reason: error.message });
      this.#fault = error.message;
      return false;
    }
    if (this.#fault !== undefined) logger.info('the archive can be written again', { lost: this.#lost });
    this.#fault = undefined;
    return true;
  }

  /** The beginning of the queue, as far as its records follow one another and are alike: there already, or missing. */
  async #writeSome(): Promise<void> {
    const batch = leadingRun(this.#queue);
    const { known, lines, turn } = await this.#compare(batch);
    if (lines.length > 0) await this.#ports.archive.write(lines, turn);
    const count = known + lines.length;
    const last = batch[count - 1];
    if (last !== undefined) this.#last = { ordinal: last.item.outcome.ordinal, mark: last.mark };
    const done = new Set(batch.slice(0, count));
    this.#queue = this.#queue.filter((waiting) => !done.has(waiting));
  }

  /** How many of a run are there already, which of the others are to be written next, and how they go on from what is. */
  async #compare(run: readonly [Waiting, ...Waiting[]]): Promise<Comparison> {
    const { archive } = this.#ports;
    const first = ordinalOf(run[0]);
    const end = first + run.length - 1;
    const isThere = archive.account.spans.some((span) => span.first <= end && span.last >= first);
    const goesOn = this.#last?.ordinal === first - 1 && this.#last.mark === run[0].before;
    if (!isThere && goesOn && archive.logId === run[0].logId) return { known: 0, lines: run.map(toLine) };
    const found = await archive.read({ after: first - 2, limit: run.length + 1 });
    const marks = new Map(found.map(({ ordinal, mark }) => [ordinal, mark]));
    const other = run.findIndex((waiting) => marks.get(ordinalOf(waiting)) !== waiting.mark);
    if (other < 0) return { known: run.length, lines: [] };
    const next = run[other] ?? run[0];
    const turn = this.#turnAt(next, marks, other > 0);
    const rest = run.slice(other);
    const until = turn === undefined ? rest.findIndex((waiting) => marks.has(ordinalOf(waiting))) : -1;
    return { known: other, lines: (until < 0 ? rest : rest.slice(0, until)).map(toLine), turn };
  }

  /** @param follows whether the record before it is known to be the one that is there */
  #turnAt(next: Waiting, marks: ReadonlyMap<number, string>, follows: boolean): ArchiveTurn | undefined {
    const { logId } = this.#ports.archive;
    const before = marks.get(ordinalOf(next) - 1);
    const isSame = follows || before === next.before;
    const isTaken = marks.has(ordinalOf(next));
    // Behind a gap nothing can be compared but the log itself, and those that it goes on from.
    const isKin =
      isSame || (before === undefined && !isTaken && (logId === next.logId || this.#isPast(next)));
    if (!isKin) return { kind: 'apart', logId: next.logId };
    return isTaken || logId !== next.logId ? { kind: 'branch', logId: next.logId } : undefined;
  }

  /** Whether what is there is of a log that the record's own succeeds, and reaches no further than that went. */
  #isPast({ past }: Waiting): boolean {
    const { logId, account } = this.#ports.archive;
    const end = past.find((log) => log.logId === logId)?.ordinal;
    return end !== undefined && account.spans.every(({ last }) => last <= end);
  }
}

interface Comparison {
  readonly known: number;
  readonly lines: readonly ArchiveLine[];
  readonly turn?: ArchiveTurn | undefined;
}

/** Consecutive records of one log. */
function leadingRun(queue: readonly Waiting[]): readonly [Waiting, ...Waiting[]] {
  const [first, ...others] = queue.slice(0, archiveBatchLines);
  assert(first !== undefined, 'something waits');
  const end = others.findIndex(
    (waiting, index) => ordinalOf(waiting) !== ordinalOf(first) + index + 1 || waiting.logId !== first.logId,
  );
  return [first, ...(end < 0 ? others : others.slice(0, end))];
}

function ordinalOf({ item }: Waiting): number {
  return item.outcome.ordinal;
}

function toLine({ item, mark }: Waiting): ArchiveLine {
  return lineOf(item, mark);
}
