/** What a log begins with: nothing yet, the first record of a cluster, or where another log ended. */

import { readEntries } from '../controller/entry-pages.ts';
import { isWeftError } from '../errors.ts';
import { decodeEntry } from '../log/entry.ts';
import { type EventLog, genesis } from '../log/event-log.ts';
import type { RecordOf } from '../log/record.ts';
import { decodeRecord } from '../log/record-codec.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';

export type Beginning = RecordOf<'log-begin'>;

/** @throws WeftError `log-trimmed`, and what `EventLog.head` and `EventLog.tail` throw; `store-unreachable` when it takes long */
export async function firstRecordOf(
  log: EventLog,
  clock: Clock,
  signal: CancelSignal,
): Promise<Beginning | 'empty' | 'other'> {
  const head = await log.head(signal);
  const { entries } = await readEntries(log, clock, { after: genesis, until: head }, signal, 1);
  const [first] = entries;
  return first === undefined ? 'empty' : (beginningIn(first.bytes) ?? 'other');
}

/** As `firstRecordOf`; what a log that was trimmed began with nobody can tell any more, but that it has begun. */
export async function beginningOf(
  log: EventLog,
  clock: Clock,
  signal: CancelSignal,
): Promise<Beginning | 'empty' | 'other'> {
  try {
    return await firstRecordOf(log, clock, signal);
  } catch (error) {
    if (isWeftError(error, 'log-trimmed')) return 'other';
    throw error;
  }
}

/** The record by which a log begins where another one ended; undefined where the entry is none. */
export function beginningIn(bytes: Uint8Array): Beginning | undefined {
  const [line] = decodeEntry(bytes);
  if (line === undefined) return undefined;
  const decoded = decodeRecord(line);
  return decoded.type === 'record' && decoded.record.kind === 'log-begin' ? decoded.record : undefined;
}
