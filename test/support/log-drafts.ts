/** Entries for tests of the log, and how to read a tail as far as a test wants. */
import { randomBytes } from 'node:crypto';
import type { EntryDraft, EventLog, LogEntry, Position } from '../../core/log/event-log.ts';
import type { EntryId } from '../../core/model/ids.ts';

/** A draft under a new id. Text is taken as UTF-8. */
export function draft(content: string | Uint8Array = '{}', base = 0): EntryDraft {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return { id: randomBytes(16).toString('hex') as EntryId, base, bytes };
}

/** A signal that never aborts. */
export function never(): AbortSignal {
  return new AbortController().signal;
}

/** The first `count` entries behind a position; waits for those that are not there yet. */
export async function take(log: EventLog, after: Position, count: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  if (count === 0) return entries;
  const controller = new AbortController();
  for await (const entry of log.tail(after, controller.signal)) {
    entries.push(entry);
    if (entries.length === count) break;
  }
  controller.abort();
  return entries;
}

/** Everything behind a position up to the head as it stands now. */
export async function takeAll(log: EventLog, after: Position): Promise<LogEntry[]> {
  const head = await log.head(never());
  const entries: LogEntry[] = [];
  if (head === after) return entries;
  for await (const entry of log.tail(after, never())) {
    entries.push(entry);
    if (entry.position === head) break;
  }
  return entries;
}

/** Runs `work` on every item, at most `width` at a time, in order. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
