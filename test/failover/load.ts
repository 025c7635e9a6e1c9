/**
 * The load under which a fault happens: two writers and two tails, each on a handle of its own, by production code alone.
 *
 * A writer submits records to its appender, a few at a time. Three of four wait as long as a request of the daemon does,
 * one gives up soon, so that there are unknown outcomes to be told the truth about.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { appendDeadlineMs } from '../../core/controller/defaults.ts';
import { isWeftError } from '../../core/errors.ts';
import { Appender } from '../../core/log/appender.ts';
import { type EventLog, genesis, type LogEntry } from '../../core/log/event-log.ts';
import { never, takeAll } from '../support/log-drafts.ts';
import { eventually, RunningTail, until } from '../support/log-trials.ts';
import { QuietLogger } from '../support/quiet-logger.ts';
import {
  type Answer,
  type Evidence,
  type Fate,
  type RecordName,
  recordLine,
  type Submission,
} from './judge.ts';
import { RecordingLog } from './recording-log.ts';

export interface LoadOptions {
  /** Opens a handle on the log, of the writer or the tail of that number. */
  readonly open: (role: 'writer' | 'tail' | 'judge', number: number) => Promise<EventLog>;
  /** Records that a writer has under way. */
  readonly width?: number;
  /** Characters that a record has beside its name. */
  readonly padding?: number;
  /** Waits after the fault until the appenders have found out the truth of every entry by themselves. */
  readonly settles?: boolean;
}

const writerCount = 2;
const tailCount = 2;
const impatientMs = 250;
/** One of so many gives up soon. */
const impatientEvery = 4;
const pauseAfterFailureMs = 10;
/** For an entry whose fate its appender has not found out yet, where nobody waits for it to settle. */
const settleMsShort = 1_000;
const settleMsLong = 60_000;
const lastRecordMsMax = 120_000;
const readingsMax = 8;

interface Writer {
  readonly log: RecordingLog;
  readonly appender: Appender;
  readonly logger: QuietLogger;
}

export class Load {
  readonly submissions: Submission[] = [];
  readonly tails: readonly RunningTail[];
  readonly #options: LoadOptions;
  readonly #writers: readonly Writer[];
  readonly #tailLogs: readonly EventLog[];
  readonly #numbers = new Map<number, number>();
  #acked = 0;
  #underWay = 0;
  #isWriting = true;
  #pause: Promise<void> | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  static async start(options: LoadOptions): Promise<Load> {
    const writers = [];
    for (let number = 1; number <= writerCount; number += 1)
      writers.push(makeWriter(new RecordingLog(await options.open('writer', number))));
    const tailLogs = [];
    for (let number = 1; number <= tailCount; number += 1) tailLogs.push(await options.open('tail', number));
    return new Load(options, writers, tailLogs);
  }

  private constructor(options: LoadOptions, writers: readonly Writer[], tailLogs: readonly EventLog[]) {
    this.#options = options;
    this.#writers = writers;
    this.#tailLogs = tailLogs;
    this.tails = tailLogs.map((log) => new RunningTail(log));
    const works = writers.flatMap((writer, index) =>
      Array.from({ length: options.width ?? 2 }, () => this.#write(writer, index + 1)),
    );
    this.#writing = Promise.all(works);
  }

  get acked(): number {
    return this.#acked;
  }

  /** Tries of appends that failed, with any error. */
  get troubles(): number {
    const counts = this.#writers.flatMap(({ log }) => [...log.failures.values()]);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Waits until so many records were acked since the beginning. */
  async untilAcked(count: number): Promise<void> {
    await until(() => this.acked >= count);
  }

  /** Waits until so many more were acked than now. */
  async untilMore(count: number): Promise<void> {
    await this.untilAcked(this.acked + count);
  }

  /** Waits until there is more trouble than there was: the fault is felt. */
  async untilFelt(before: number): Promise<void> {
    await until(() => this.troubles > before);
  }

  /** Waits until a writer was told this code. */
  async untilTold(code: string): Promise<void> {
    await until(() => this.#writers.some(({ log }) => log.failures.has(code)));
  }

  /** Lets what is under way end, and submits nothing until the returned function is called. */
  async pause(): Promise<() => void> {
    let goOn = (): void => undefined;
    this.#pause = new Promise((resolve) => {
      goOn = () => {
        this.#pause = undefined;
        resolve();
      };
    });
    await until(() => this.#underWay === 0);
    return goOn;
  }

  /**
   * Ends the writing with one record of each writer that must be acked, reads the log, and gives all evidence there is.
   *
   * @throws Error when a last record is not acked in time, or a tail has ended
   */
  async finish(): Promise<Evidence> {
    this.#isWriting = false;
    await this.#writing;
    await Promise.all(this.#writers.map((writer, index) => this.#lastRecord(writer, index + 1)));
    await this.#settle();
    const judge = await eventually(() => this.#options.open('judge', 1));
    try {
      const { history, answers } = await this.#readThrough(judge);
      for (const tail of this.tails) await tail.until(history.length);
      const findings = this.#writers.flatMap(({ logger }) => findingsOf(logger));
      return {
        submissions: this.submissions,
        history,
        tails: this.tails.map(({ entries }) => entries),
        answers,
        findings,
      };
    } finally {
      await judge.close();
    }
  }

  /** Ends everything. Idempotent. */
  async stop(): Promise<void> {
    this.#isWriting = false;
    await Promise.all(this.#writers.map(({ appender }) => appender.close()));
    await this.#writing;
    await Promise.all(this.tails.map((tail) => tail.stop()));
    await Promise.all([...this.#tailLogs, ...this.#writers.map(({ log }) => log)].map((log) => log.close()));
  }

  async #write(writer: Writer, number: number): Promise<void> {
    while (this.#isWriting) {
      await this.#pause;
      const { fate } = await this.#submit(writer, number, undefined);
      if (fate !== 'acked') await sleep(pauseAfterFailureMs);
    }
  }

  async #lastRecord(writer: Writer, number: number): Promise<void> {
    const endMs = performance.now() + lastRecordMsMax;
    for (;;) {
      const { fate, error } = await this.#submit(writer, number, appendDeadlineMs);
      if (fate === 'acked') return;
      if (performance.now() > endMs) throw new Error('The last append did not succeed', { cause: error });
    }
  }

  async #submit(
    writer: Writer,
    number: number,
    deadlineMs: number | undefined,
  ): Promise<{ fate: Fate; error?: unknown }> {
    const count = (this.#numbers.get(number) ?? 0) + 1;
    this.#numbers.set(number, count);
    const record: RecordName = `${number}:${count}`;
    const patience = deadlineMs ?? (count % impatientEvery === 0 ? impatientMs : appendDeadlineMs);
    this.#underWay += 1;
    const startMs = performance.now();
    const line = recordLine(record, 'x'.repeat(this.#options.padding ?? 0));
    const [fate, error] = await writer.appender.submit(line, count, patience).then(
      () => ['acked'] as const,
      (reason: unknown) => [isWeftError(reason, 'outcome-unknown') ? 'unknown' : 'failed', reason] as const,
    );
    this.#underWay -= 1;
    if (fate === 'acked') this.#acked += 1;
    this.submissions.push({ record, startMs, endMs: performance.now(), fate });
    return { fate, error };
  }

  /** Lets the appenders find out by themselves what became of entries of unknown outcome. */
  async #settle(): Promise<void> {
    const endMs = performance.now() + (this.#options.settles === true ? settleMsLong : settleMsShort);
    while (performance.now() < endMs && this.#writers.some(({ appender }) => appender.unresolved > 0))
      await sleep(50);
    await Promise.all(this.#writers.map(({ appender }) => appender.close()));
  }

  /** The history and the answers once nothing lands between the two: a store may carry out late what it was asked. */
  async #readThrough(log: EventLog): Promise<{ history: LogEntry[]; answers: Answer[] }> {
    const drafts = this.#writers.flatMap(({ log: { unsettled } }) => [...unsettled.values()]);
    for (let reading = 1; ; reading += 1) {
      const history = await eventually(() => takeAll(log, genesis));
      const answers: Answer[] = [];
      for (const { id, base } of drafts)
        answers.push({ id, position: await eventually(() => log.resolve({ id, base }, never())) });
      const isStill = (await eventually(() => log.head(never()))) === (history.at(-1)?.position ?? genesis);
      if (isStill || reading === readingsMax) return { history, answers };
    }
  }
}

function makeWriter(log: RecordingLog): Writer {
  const logger = new QuietLogger();
  const ports = { clock: new SystemClock(), random: new SystemRandom(), logger };
  return { log, logger, appender: new Appender(log, ports) };
}

/** What the log lines of an appender say of entries of unknown outcome. */
function findingsOf({ lines }: QuietLogger): Evidence['findings'] {
  return lines.flatMap(({ message, values }) => {
    const found = /^an append of unknown outcome was (not )?carried out$/.exec(message);
    return found === null ? [] : [{ id: String(values['entry']), isCarriedOut: found[1] === undefined }];
  });
}
