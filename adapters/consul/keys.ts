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
 *     <prefix>/log/<log id>/floor                position of the last entry that was trimmed; absent before the first trim
 *     <prefix>/snap/<log id>/<id>/<index>        one chunk of a snapshot, zero-padded
 *     <prefix>/snap/<log id>/<id>/manifest       written after all its chunks
 *     <prefix>/beat/<log id>/<boot id>           what a daemon writes of itself while it lives
 *
 * Everything that one append writes, it writes in one transaction, so all of it has the same create index; that of an
 * entry's key is its position. The id of the log is part of the keys, so that nothing can be written to another log
 * whatever its indexes are. Snapshots and beats lie beside the logs, since a tail waits for a folder of its log. Whatever else lies under the prefix is foreign and ignored.
 */
import type { EntryRef } from '../../core/log/event-log.ts';
import { type BootId, type EntryId, isRandomId, type LogId, type SnapshotId } from '../../core/model/ids.ts';
import { bucketDigits, bucketOrdinals, chunkDigits, segmentDigits } from './limits.ts';

export interface PlaceKeys {
  readonly identity: string;
  /** All logs begin with it. */
  readonly logs: string;
  of(logId: LogId): LogKeys;
}

export interface LogKeys {
  readonly identity: string;
  /** Everything of the log but its identity, and of what lies beside it, begins with one of these. */
  readonly folders: readonly string[];
  readonly open: string;
  readonly head: string;
  readonly floor: string;
  /** The keys under all ids begin with it. */
  readonly ids: string;
  /** All segments begin with it. */
  readonly segments: string;
  /** All snapshots begin with it. */
  readonly snapshots: string;
  id(ref: EntryRef): string;
  entry(segment: number, id: EntryId): string;
  segment(segment: number): SegmentKeys;
  /** Undefined where no segment has that folder. */
  segmentOf(folder: string): number | undefined;
  snapshot(id: SnapshotId): SnapshotKeys;
  /** Undefined where no snapshot has that folder. */
  snapshotOf(folder: string): SnapshotId | undefined;
  /** All beats begin with it. */
  readonly beats: string;
  beat(boot: BootId): string;
  /** Undefined when the key is not one of a beat. */
  bootOf(key: string): BootId | undefined;
}

export interface SegmentKeys {
  /** All its keys begin with it. */
  readonly folder: string;
  readonly start: string;
  readonly end: string;
  /** The id of the entry under this key, undefined when the key is not one of an entry of this segment. */
  entryIdOf(key: string): EntryId | undefined;
}

export interface SnapshotKeys {
  /** All its keys begin with it. */
  readonly folder: string;
  readonly manifest: string;
  chunk(index: number): string;
}

export function placeKeys(prefix: string): PlaceKeys {
  const top = prefix.slice(1);
  const identity = `${top}/meta/log-id`;
  const logs = `${top}/log/`;
  return {
    identity,
    logs,
    of: (logId) => {
      const beside = { snapshots: `${top}/snap/${logId}/`, beats: `${top}/beat/${logId}/` };
      return logKeys(identity, `${logs}${logId}`, beside);
    },
  };
}

function logKeys(
  identity: string,
  log: string,
  { snapshots, beats }: { readonly snapshots: string; readonly beats: string },
): LogKeys {
  const [ids, segments] = [`${log}/ids/`, `${log}/segments/`];
  const folderOf = (segment: number) => `${segments}${String(segment).padStart(segmentDigits, '0')}/`;
  return {
    identity,
    folders: [`${log}/`, snapshots, beats],
    open: `${log}/open`,
    head: `${log}/head`,
    floor: `${log}/floor`,
    ids,
    segments,
    snapshots,
    id: (ref) => `${ids}${bucketOf(ref.base)}/${ref.id}`,
    entry: (segment, id) => `${folderOf(segment)}${id}`,
    segment: (segment) => segmentKeys(folderOf(segment)),
    segmentOf: (folder) => {
      const segment = Number(/\/([0-9]+)\/$/.exec(folder)?.[1]);
      return folder === folderOf(segment) ? segment : undefined;
    },
    snapshot: (id) => snapshotKeys(`${snapshots}${id}/`),
    snapshotOf: (folder) => {
      const id = folder.slice(snapshots.length, -1);
      return isRandomId(id) && folder === `${snapshots}${id}/` ? (id as SnapshotId) : undefined;
    },
    beats,
    beat: (boot) => `${beats}${boot}`,
    bootOf: (key) => {
      const name = key.slice(beats.length);
      return isRandomId(name) ? (name as BootId) : undefined;
    },
  };
}

function snapshotKeys(folder: string): SnapshotKeys {
  return {
    folder,
    manifest: `${folder}manifest`,
    // Of one length, since reads are by what keys begin with.
    chunk: (index) => `${folder}${String(index).padStart(chunkDigits, '0')}`,
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
      return isRandomId(name) ? (name as EntryId) : undefined;
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
