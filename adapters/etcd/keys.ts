/**
 * Where the log lies in etcd's key space:
 *
 *     <prefix>/meta/log-id              the log's identity, written once; every write and read is conditional on it
 *     <prefix>/meta/floor               position of the last entry that was trimmed; none before the first trim (floor.ts)
 *     <prefix>/log/<bucket>/<entry id>  one entry; bucket = floor(base / 1024), zero-padded, so that trimming is by range
 *     <prefix>/log/head                 id of the last entry; overwritten by every append in the same transaction
 *     <prefix>/snap/<id>/<index>        a chunk of a snapshot
 *     <prefix>/snap/<id>/manifest       says that the snapshot is whole; written last
 *     <prefix>/beat/<boot id>           what a daemon writes of itself while it lives
 *
 * The create revision of an entry's key is its position. The head's mod revision is therefore the position of the last
 * entry, also where that was trimmed, and its version counts appends without a gap, which is how a tail sees that a watch left something out.
 * Whatever else lies under the prefix is foreign and ignored.
 */
import type { EntryRef } from '../../core/log/event-log.ts';
import { type BootId, type EntryId, isRandomId, type LogId, type SnapshotId } from '../../core/model/ids.ts';
import { bucketDigits, bucketOrdinals } from './limits.ts';

export interface KeyRange {
  readonly start: Buffer;
  /** Exclusive. */
  readonly end: Buffer;
}

export interface LogKeys {
  readonly logId: Buffer;
  readonly head: Buffer;
  readonly floor: Buffer;
  readonly snapshots: KeyRange;
  /** Entries and their buckets, without the head. */
  readonly entries: KeyRange;
  /** Entries and the head: what a tail watches. */
  readonly watched: KeyRange;
  entry(ref: EntryRef): Buffer;
  /** The id of the entry under this key, undefined when the key is not one of an entry. */
  entryIdOf(key: Buffer): EntryId | undefined;
  manifest(id: SnapshotId): Buffer;
  chunk(id: SnapshotId, index: number): Buffer;
  /** Everything of one snapshot. */
  snapshot(id: SnapshotId): KeyRange;
  /** The first folder or key below that of the snapshots, as text. */
  snapshotNameOf(key: Buffer): string;
  readonly beats: KeyRange;
  beat(boot: BootId): Buffer;
  /** Undefined when the key is not one of a beat. */
  bootOf(key: Buffer): BootId | undefined;
}

const entryTail = new RegExp(`^[0-9]{${bucketDigits}}/([0-9a-f]{32})$`);

export function logKeys(prefix: string): LogKeys {
  const folder = `${prefix}/log/`;
  const start = Buffer.from(folder);
  const snapshots = `${prefix}/snap/`;
  const beats = `${prefix}/beat/`;
  return {
    logId: Buffer.from(`${prefix}/meta/log-id`),
    head: Buffer.from(`${folder}head`),
    floor: Buffer.from(`${prefix}/meta/floor`),
    snapshots: { start: Buffer.from(snapshots), end: Buffer.from(`${prefix}/snap0`) },
    manifest: (id) => Buffer.from(`${snapshots}${id}/manifest`),
    chunk: (id, index) => Buffer.from(`${snapshots}${id}/${index}`),
    snapshot: (id) => ({ start: Buffer.from(`${snapshots}${id}/`), end: Buffer.from(`${snapshots}${id}0`) }),
    snapshotNameOf: (key) =>
      key.subarray(Buffer.byteLength(snapshots)).toString('latin1').split('/', 1)[0] ?? '',
    beats: { start: Buffer.from(beats), end: Buffer.from(`${prefix}/beat0`) },
    beat: (boot) => Buffer.from(`${beats}${boot}`),
    bootOf: (key) => {
      const name = key.subarray(Buffer.byteLength(beats)).toString('latin1');
      return isRandomId(name) ? (name as BootId) : undefined;
    },
    // ':' follows '9' and '0' follows '/': buckets are digits, so these ends take in all of them and little else.
    entries: { start, end: Buffer.from(`${folder}:`) },
    watched: { start, end: Buffer.from(`${prefix}/log0`) },
    entry: (ref) => Buffer.from(`${folder}${bucketOf(ref.base)}/${ref.id}`),
    entryIdOf: (key) => {
      if (!key.subarray(0, start.length).equals(start)) return undefined;
      const match = entryTail.exec(key.subarray(start.length).toString('latin1'));
      return match?.[1] as EntryId | undefined;
    },
  };
}

function bucketOf(base: number): string {
  return String(Math.floor(base / bucketOrdinals)).padStart(bucketDigits, '0');
}

/** The value under the log-id key: the version of this layout, then the id. */
export function formatLogId(id: LogId): Buffer {
  return Buffer.from(`weft-log 1 ${id}`);
}

/** Undefined when the value is no log id of this layout. */
export function parseLogId(value: Buffer): LogId | undefined {
  return /^weft-log 1 ([0-9a-f]{32})$/.exec(value.toString('latin1'))?.[1] as LogId | undefined;
}
