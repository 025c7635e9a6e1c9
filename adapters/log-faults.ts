/** What can be wrong with a log or with a call on it, told alike by every store of several servers: what, why, what to do. */
import { WeftError } from '../core/errors.ts';
import { entryBytesMax } from '../core/limits.ts';
import type { EntryId, LogId } from '../core/model/ids.ts';

/** Which log is meant. */
export interface LogName {
  readonly logId: LogId;
  /** The store's URL, without credentials. */
  readonly url: string;
}

/** @throws WeftError `too-large`, before anything is sent */
export function requireEntryFits(bytes: Uint8Array): void {
  if (bytes.length <= entryBytesMax) return;
  throw new WeftError(
    'too-large',
    `Cannot append an entry of ${bytes.length} bytes: the bound is ${entryBytesMax}; send fewer records at once.`,
  );
}

export function closed(url: string): WeftError {
  return new WeftError('closed', `Cannot use the log at ${url}: it is closed; open another.`);
}

export function openingCancelled(url: string, cause: unknown): WeftError {
  return new WeftError('closed', `Cannot open the log at ${url}: it was cancelled; open it again.`, {
    cause,
  });
}

export function conflict(url: string, id: EntryId): WeftError {
  return new WeftError(
    'entry-conflict',
    `Cannot append the entry ${id} to ${url}: one with that id and other contents exists; draw a new id.`,
  );
}

export function mismatch({ logId, url }: LogName, why: string): WeftError {
  return new WeftError(
    'log-mismatch',
    `Cannot follow the log ${logId} at ${url}: ${why}; nothing was changed, ` +
      'check whether the store was wiped, restored from a backup or swapped.',
    { details: { logId } },
  );
}

/** Of a log that was to be discarded. */
export function otherLog(url: string, asked: LogId, found: LogId): WeftError {
  return new WeftError(
    'log-mismatch',
    `Cannot discard the log ${asked} at ${url}: it holds the log ${found}; nothing was changed, name that one if it is meant.`,
    { details: { logId: asked, found } },
  );
}

export function damaged(url: string, why: string): WeftError {
  return new WeftError(
    'log-damaged',
    `Cannot use the log at ${url} further: ${why}; something other than weft writes under its prefix, ` +
      'keep it away and seed the log again.',
  );
}

/** @throws WeftError `log-ahead` always: no entry of the store can have such a position */
export function refusePosition(url: string, position: string): never {
  throw new WeftError(
    'log-ahead',
    `Cannot find "${position}" in the log at ${url}: that is no position in it; give one that it gave out.`,
  );
}

/** @param position as people may compare it: without the entry's id */
export function ahead(url: string, position: number | string): WeftError {
  return new WeftError(
    'log-ahead',
    `Cannot use position ${position} of the log at ${url}: the log ends before it; ` +
      'the store may have been restored from a backup, compare it with what this host has applied.',
    { details: { position } },
  );
}

/** @param position as people may compare it: without the entry's id */
export function trimmed(url: string, position: number | string): WeftError {
  return new WeftError(
    'log-trimmed',
    `Cannot read the log at ${url} from position ${position}: it has been trimmed there; begin again from a snapshot.`,
    { details: { position } },
  );
}
