/**
 * What became of every record, told by the log itself. Pure, so that it can be shown to find what it is there for.
 *
 * The truth is the history: a complete reading of the log after the fault, by a handle that took no part in it.
 */
import { decodeEntry } from '../../core/log/entry.ts';
import type { LogEntry, Position } from '../../core/log/event-log.ts';

/** One record that a writer submitted, and what it was told. Times on one monotonic clock, milliseconds. */
export interface Submission {
  readonly record: RecordName;
  readonly startMs: number;
  readonly endMs: number;
  readonly fate: Fate;
}

/** Acked: it is in the log. Failed: it is not and never will be. Unknown: either. */
export type Fate = 'acked' | 'unknown' | 'failed';

/** `WRITER:NUMBER`, the numbers of a writer in the order of its submissions. */
export type RecordName = `${number}:${number}`;

/** What somebody was told of an entry: where it is, or that it is not there. */
export interface Answer {
  readonly id: string;
  readonly position: Position | undefined;
}

export interface Evidence {
  readonly submissions: readonly Submission[];
  readonly history: readonly LogEntry[];
  /** Of each tail that lived through the fault, all that it delivered. */
  readonly tails: readonly (readonly LogEntry[])[];
  /** Answers of `resolve` to questions after entries of unknown outcome, asked after the history was read. */
  readonly answers: readonly Answer[];
  /** What the appenders found out of such entries by themselves: whether they were carried out. */
  readonly findings: readonly { readonly id: string; readonly isCarriedOut: boolean }[];
}

export interface Judgement {
  readonly acked: number;
  readonly unknown: number;
  readonly unknownApplied: number;
  readonly failed: number;
  /** Acked and not in the history, or in the history and never delivered by a tail. */
  readonly lost: number;
  /** In the history, or in a tail, more than once. */
  readonly doubled: number;
  /**
   * Pairs out of order: of a tail against the history; of one writer's acked records against their submission; of
   * records of which one was acked before the other was submitted.
   */
  readonly reordered: number;
  /** Told as failed and in the history; `resolve` or a finding against the history. */
  readonly untrue: number;
  /** The longest time between two acks, milliseconds; with fewer than two there is none. */
  readonly gapMs: number | undefined;
  /** The first few of what is wrong, a line each. */
  readonly complaints: readonly string[];
}

const complaintsKept = 10;

/** Makes the body of a record that `judge` knows again. */
export function recordLine(record: RecordName, padding: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ record, padding }));
}

export function judge(evidence: Evidence): Judgement {
  const { submissions, history } = evidence;
  const complaints: string[] = [];
  const complain = (text: string): number => {
    if (complaints.length < complaintsKept) complaints.push(text);
    return 1;
  };
  const order = history.flatMap(recordsOf);
  const places = new Map(order.map((record, index) => [record, index]));
  const told = (fate: Fate) => submissions.filter((each) => each.fate === fate);
  const isThere = ({ record }: Submission) => places.has(record);
  const lost = told('acked').filter(
    (each) => !isThere(each) && complain(`${each.record} was acked and lost`),
  );
  const failed = told('failed').filter(
    (each) => isThere(each) && complain(`${each.record} failed and is there`),
  );
  const tails = evidence.tails.map((tail, index) => judgeTail(history, tail, `tail ${index + 1}`, complain));
  const sum = (key: 'missing' | 'doubled' | 'reordered') =>
    tails.reduce((total, tail) => total + tail[key], 0);
  return {
    acked: told('acked').length,
    unknown: told('unknown').length,
    unknownApplied: told('unknown').filter(isThere).length,
    failed: told('failed').length,
    lost: lost.length + sum('missing'),
    doubled:
      repeated(order, complain) +
      repeated(
        history.map(({ id }) => id),
        complain,
      ) +
      sum('doubled'),
    reordered:
      sum('reordered') +
      orderOfWriters(told('acked'), places, complain) +
      orderInTime(told('acked'), places, complain),
    untrue: failed.length + untrueAnswers(evidence, complain),
    gapMs: longestGap(told('acked')),
    complaints,
  };
}

type Complain = (text: string) => number;

function recordsOf({ bytes }: LogEntry): RecordName[] {
  const lines = decodeEntry(bytes).map((line) => new TextDecoder().decode(line));
  return lines.flatMap((line) => {
    const record = /^\{"record":"(\d+:\d+)"/.exec(line)?.[1];
    return record === undefined ? [] : [record as RecordName];
  });
}

function repeated(names: readonly string[], complain: Complain): number {
  const seen = new Set<string>();
  let count = 0;
  for (const name of names) {
    if (seen.has(name)) count += complain(`${name} is there twice`);
    seen.add(name);
  }
  return count;
}

function judgeTail(history: readonly LogEntry[], tail: readonly LogEntry[], who: string, complain: Complain) {
  const doubled = repeated(
    tail.map(({ id }) => id),
    (text) => complain(`${who}: ${text}`),
  );
  const seen = new Map(tail.map((entry) => [entry.id, entry]));
  const missing = history.filter(
    ({ id }) => !seen.has(id) && complain(`${who} never delivered ${id}`),
  ).length;
  const truth = new Map(history.map((entry, index) => [entry.id, { entry, index }]));
  let reordered = 0;
  let last = -1;
  for (const entry of seen.values()) {
    const found = truth.get(entry.id);
    if (found === undefined) reordered += complain(`${who} delivered ${entry.id}, which is not in the log`);
    else if (found.index < last) reordered += complain(`${who} delivered ${entry.id} out of order`);
    else if (found.entry.position !== entry.position || !Buffer.from(found.entry.bytes).equals(entry.bytes))
      reordered += complain(`${who} delivered ${entry.id} at another position or with other bytes`);
    last = Math.max(last, found?.index ?? last);
  }
  return { doubled, missing, reordered };
}

/** An appender puts its records into the log in the order of their submission, but for those of unknown outcome. */
function orderOfWriters(
  acked: readonly Submission[],
  places: ReadonlyMap<RecordName, number>,
  complain: Complain,
): number {
  const last = new Map<string, number>();
  let count = 0;
  for (const record of inLogOrder(acked, places).map((each) => each.record)) {
    const [writer = '', number = ''] = record.split(':');
    if (Number(number) < (last.get(writer) ?? -1)) count += complain(`${record} stands behind a later one`);
    last.set(writer, Math.max(Number(number), last.get(writer) ?? -1));
  }
  return count;
}

/** What was acked before something else was submitted stands before it. */
function orderInTime(
  acked: readonly Submission[],
  places: ReadonlyMap<RecordName, number>,
  complain: Complain,
): number {
  let latestStart = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (const { record, startMs, endMs } of inLogOrder(acked, places)) {
    if (endMs < latestStart) count += complain(`${record} was acked before one in front of it was submitted`);
    latestStart = Math.max(latestStart, startMs);
  }
  return count;
}

function inLogOrder(acked: readonly Submission[], places: ReadonlyMap<RecordName, number>): Submission[] {
  const place = ({ record }: Submission) => places.get(record) ?? -1;
  return acked.filter(({ record }) => places.has(record)).toSorted((a, b) => place(a) - place(b));
}

function untrueAnswers({ history, answers, findings }: Evidence, complain: Complain): number {
  const positions = new Map<string, Position>(history.map(({ id, position }) => [id, position]));
  const untrue = answers.filter(
    ({ id, position }) => position !== positions.get(id) && complain(`resolve lied of ${id}`),
  );
  const wrong = findings.filter(
    ({ id, isCarriedOut }) =>
      isCarriedOut !== positions.has(id) && complain(`an appender was wrong about ${id}`),
  );
  return untrue.length + wrong.length;
}

function longestGap(acked: readonly Submission[]): number | undefined {
  const times = acked.map(({ endMs }) => endMs).toSorted((a, b) => a - b);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  return gaps.length === 0 ? undefined : Math.max(...gaps);
}
