/**
 * Where the log lies in Consul's key space; keys begin with no slash there:
 *
 *     <prefix>/meta/log-id                       the log's identity, written once
 *     <prefix>/log/<log id>/open                 number of the open segment; its modify index is what an append compares
 *     <prefix>/log/<log id>/head                 segment and id of the last entry; overwritten by every append
 *     <prefix>/log/<log id>/ids/<bucket>/<id>    segment of an entry; bucket = floor(base / 1024), zero-padded
 *     <prefix>/log/<log id>/segments/<n>/start   a random mark, the same as under `end` of the segment before
 *     <prefix>/log/<log id>/segments/<n>/<id>    one entry
 *     <prefix>/log/<log id>/segments/<n>/end     nothing more is ever written to this segment
 *
 * Everything that one append writes, it writes in one transaction, so all of it has the same create index; that of an
 * entry's key is its position. The id of the log is part of the keys, so that nothing can be written to another log
 * whatever its indexes are. Whatever else lies under the prefix is foreign and ignored.
 */
import type { EntryRef } from '../../core/log/event-log.ts';
import type { EntryId, LogId } from '../../core/model/ids.ts';
import { bucketDigits, bucketOrdinals, segmentDigits } from './limits.ts';

export interface PlaceKeys {
  readonly identity: string;
  /** All logs begin with it. */
  readonly logs: string;
  of(logId: LogId): LogKeys;
}

export interface LogKeys {
  readonly identity: string;
  readonly open: string;
  readonly head: string;
  id(ref: EntryRef): string;
  entry(segment: number, id: EntryId): string;
  segment(segment: number): SegmentKeys;
}

export interface SegmentKeys {
  /** All its keys begin with it. */
  readonly folder: string;
  readonly start: string;
  readonly end: string;
  /** The id of the entry under this key, undefined when the key is not one of an entry of this segment. */
  entryIdOf(key: string): EntryId | undefined;
}

export function placeKeys(prefix: string): PlaceKeys {
  const top = prefix.slice(1);
  const identity = `${top}/meta/log-id`;
  const logs = `${top}/log/`;
  return { identity, logs, of: (logId) => logKeys(identity, `${logs}${logId}`) };
}

function logKeys(identity: string, log: string): LogKeys {
  const folderOf = (segment: number) => `${log}/segments/${String(segment).padStart(segmentDigits, '0')}/`;
  return {
    identity,
    open: `${log}/open`,
    head: `${log}/head`,
    id: (ref) => `${log}/ids/${bucketOf(ref.base)}/${ref.id}`,
    entry: (segment, id) => `${folderOf(segment)}${id}`,
    segment: (segment) => segmentKeys(folderOf(segment)),
  };
}

function segmentKeys(folder: string): SegmentKeys {
  return {
    folder,
    start: `${folder}start`,
    end: `${folder}end`,
    entryIdOf: (key) => {
      if (!key.startsWith(folder)) return undefined;
      const name = key.slice(folder.length);
      return /^[0-9a-f]{32}$/.test(name) ? (name as EntryId) : undefined;
    },
  };
}

function bucketOf(base: number): string {
  return String(Math.floor(base / bucketOrdinals)).padStart(bucketDigits, '0');
}

/** The value under the identity: the version of this layout, then the id. */
export function formatLogId(id: LogId): string {
  return `weft-log 1 ${id}`;
}

/** Undefined when the value is no log id of this layout. */
export function parseLogId(value: Buffer): LogId | undefined {
  return /^weft-log 1 ([0-9a-f]{32})$/.exec(value.toString('latin1'))?.[1] as LogId | undefined;
}
