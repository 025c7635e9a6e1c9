/**
 * The succession of logs that a cluster has lived on. A log that succeeds another says so with its first record, and a
 * log that others are to leave says with its last one, the *seal*, where it goes on. `docs/decisions/0014` has why.
 */
import type { RecordOf } from '../log/record.ts';
import type { LogId } from '../model/ids.ts';
import type { Context, Decision } from './decision.ts';
import { refuseUnless } from './refused.ts';
import type { State } from './state.ts';

/** A log that has ended, and its end: what the next one went on from. */
export interface PastLog {
  readonly logId: LogId;
  readonly ordinal: number;
  readonly recordHash: string;
}

/** Where a sealed log goes on. */
export interface NextLog {
  readonly logId: LogId;
  /** Of its store, without credentials. */
  readonly url: string;
}

export interface Course {
  /** The last `pastLogsMax`, oldest first. */
  readonly past: readonly PastLog[];
  /** The present log, where it goes on from another one. */
  readonly present?: LogId;
  /** Set by the seal; the log that it names has it no more. */
  readonly next?: NextLog;
}

/** So many are remembered: who was away while the cluster has moved more often is not known for one of its hosts. */
export const pastLogsMax = 16;

/** A log begins where another one ended. Only the first record of a log can say so of just this state. */
export function beginLog(
  { draft }: Context,
  { body }: RecordOf<'log-begin'>,
  { ordinal, recordHash, stateHash }: State,
): Decision {
  const { succeeds } = body;
  const isHere =
    succeeds.ordinal === ordinal && succeeds.recordHash === recordHash && succeeds.stateHash === stateHash;
  refuseUnless(
    isHere,
    'log-exists',
    () =>
      `The log was to go on from record ${succeeds.ordinal} of log ${succeeds.logId}, and it has begun ` +
      'otherwise: nothing is to be done',
  );
  const logId = succeeds.logId as LogId;
  draft.setCourse({
    past: [...draft.course.past, { logId, ordinal, recordHash }].slice(-pastLogsMax),
    present: body.logId as LogId,
  });
  return { subject: { type: 'log', id: body.logId as LogId }, changes: [] };
}

/**
 * The seal: nothing behind its entry is part of the log. Two operators may have moved the cluster at once; what the second
 * asked for is then asked once more of the log to which it has moved, and has come about.
 */
export function moveLog({ draft }: Context, { body }: RecordOf<'log-move'>): Decision {
  const { next, past, present } = draft.course;
  refuseUnless(next === undefined, 'log-moved', () => `The log goes on at ${next?.url} already`);
  const logId = body.logId as LogId;
  refuseUnless(logId !== present, 'log-moved', () => `The cluster goes on at ${body.url} already`);
  refuseUnless(
    past.every((each) => each.logId !== logId),
    'log-moved',
    () => `The cluster has left log ${logId} for this one: move it to an empty store`,
  );
  draft.setCourse({ ...draft.course, next: { logId, url: body.url } });
  return { subject: { type: 'log', id: logId }, changes: [] };
}
