/**
 * The reactive head of the pipeline: the tail of the log becomes a stream of entries, folded by `scan` into cursors.
 *
 * The tail is pulled; here is the single place where it enters the stream. Each entry is folded and handed on before the
 * next is pulled, so nothing is skipped and nothing piles up.
 */
import { from, type Observable, scan, takeWhile } from 'rxjs';
import { WeftError } from '../errors.ts';
import { apply } from '../fold/apply.ts';
import type { Change } from '../fold/change.ts';
import type { State } from '../fold/state.ts';
import { decodeEntry } from '../log/entry.ts';
import { type EventLog, genesis, type LogEntry, type Position } from '../log/event-log.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import { beginningIn } from '../succession/first-record.ts';
import type { Step } from './control.ts';

/** Where a fold stands: after an entry with what its records did, or after a leap with what changed on the way. */
export interface Cursor {
  readonly position: Position;
  readonly state: State;
  /** The entries up to here were not followed one by one. */
  readonly isLeap: boolean;
  /** Of a leap to a snapshot; none after an entry, whose steps have their own. */
  readonly changes: readonly Change[];
  readonly steps: readonly Step[];
}

/** How a line is folded: `apply`, or what gives the same. */
export type Fold = typeof apply;

/**
 * Cursors after each entry beyond `start`. Completes when `signal` aborts, and after the seal of the log.
 *
 * Errors with WeftError `unknown-version` before an entry that this build cannot read whole (none of its records is
 * applied, so that a newer build resumes at its beginning), with `not-ready` before
 * an entry by which the log begins elsewhere than at `start`, and with what `EventLog.tail` throws.
 */
export function foldEntries(
  log: EventLog,
  start: Cursor,
  signal: CancelSignal,
  fold: Fold = apply,
): Observable<Cursor> {
  const step = (cursor: Cursor, entry: LogEntry): Cursor => foldEntry(cursor, entry, fold);
  const { next } = start.state.course;
  const isGoingOn = ({ state }: Cursor): boolean =>
    state.course.next === undefined || state.course.next === next;
  return from(log.tail(start.position, signal)).pipe(scan(step, start), takeWhile(isGoingOn, true));
}

function foldEntry(cursor: Cursor, entry: LogEntry, fold: Fold): Cursor {
  requireBegunHere(cursor, entry);
  const steps: Step[] = [];
  let state = cursor.state;
  for (const line of decodeEntry(entry.bytes)) {
    const applied = fold(state, line);
    if (applied.halted) throw unknownVersion(applied.version, state.ordinal + 1);
    state = applied.state;
    steps.push({
      position: entry.position,
      outcome: applied.outcome,
      ...(applied.record === undefined ? {} : { record: applied.record }),
      changes: applied.changes,
      state,
    });
  }
  return { position: entry.position, state, isLeap: false, changes: [], steps };
}

/** The first entry of a log may say that the log goes on from another one: then that state is needed, and no other. */
function requireBegunHere({ position, state }: Cursor, { bytes }: LogEntry): void {
  if (position !== genesis) return;
  const end = beginningIn(bytes)?.body.succeeds;
  if (end === undefined || end.ordinal === state.ordinal) return;
  throw new WeftError('not-ready', `The log goes on from record ${end.ordinal} of log ${end.logId}`);
}

function unknownVersion(version: number, ordinal: number): WeftError {
  return new WeftError(
    'unknown-version',
    `Record ${ordinal} has schema version ${version}, which this version of weft does not know; ` +
      'the data plane is kept as it is: upgrade weft on this host',
    { details: { version, ordinal } },
  );
}
