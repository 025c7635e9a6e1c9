/** The log's entries, a page at a time, for who wants their bytes and not what they fold to. */
import { WeftError } from '../errors.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import type { EventLog, LogEntry } from '../log/event-log.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { EntryPage, EntryQuery } from './control.ts';
import { entryPageBytesMax, entryPageEntriesMax, entryPageMs } from './defaults.ts';

/** Reads by the tail, which waits for a store that cannot be reached; a page does not wait for long. */
export async function readEntries(
  log: EventLog,
  clock: Clock,
  { after, until }: EntryQuery,
  signal: CancelSignal,
  entriesMax: number = entryPageEntriesMax,
): Promise<EntryPage> {
  if (after === until) return { entries: [], end: true };
  using scope = cancelScope(signal);
  void clock.sleep(entryPageMs, scope.signal).then(() => scope.cancel());
  const entries: LogEntry[] = [];
  let bytes = 0;
  for await (const entry of log.tail(after, scope.signal)) {
    entries.push(entry);
    bytes += entry.bytes.length;
    if (entry.position === until) return { entries, end: true };
    if (entries.length >= entriesMax || bytes >= entryPageBytesMax) break;
  }
  if (entries.length > 0) return { entries, end: false };
  throw new WeftError(
    'store-unreachable',
    `The store gave no entry within ${entryPageMs} ms: see \`weft status\`, and try again when it can be reached`,
  );
}
