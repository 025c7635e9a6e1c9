/**
 * Where the log lies in ZooKeeper's tree:
 *
 *     <prefix>/log-id                              the log's identity, written once
 *     <prefix>/log-<log id>/open                   number of the segment that takes entries; its version is that number
 *     <prefix>/log-<log id>/segments/<n>/e-<seq>   one entry: its id, its base, a line feed, its bytes
 *     <prefix>/log-<log id>/ids/<bucket>/<id>      number of the segment that holds the entry of that id
 *     <prefix>/log-<log id>/floor                  the last entry that was trimmed: its position, and its zxid; none is there
 *                                                  before the first trim
 *     <prefix>/log-<log id>/snap/<id>/<index>      one chunk of a snapshot
 *     <prefix>/log-<log id>/snap/<id>/manifest     what makes the snapshot whole
 *     <prefix>/log-<log id>/beats/<boot id>        what a daemon writes of itself while it lives
 *
 * All of a log lies below a node that is named for it, so that no request of a host that follows another log can do
 * anything here. An append makes an entry and its id in one transaction, under the comparison of the version of `open`:
 * both get the same zxid, no id is there twice, and a segment takes no entry any more once the next is open. A segment holds
 * nothing but entries and is never made again under the same number, because ZooKeeper counts the creations under a parent
 * and starts at nought with a new one. So the numbers of a segment are dense.
 *
 * Trimming moves `floor`, and then deletes what lies behind it, the oldest first: an entry always in one transaction with
 * its id, so that an id is there as long as its entry is, and whoever deletes an entry that he has seen deletes no id of a
 * later one. Deletions take no number and give none back. A segment's own node goes once it holds nothing and the floor
 * lies in a later one; so the open segment's stays, and the floor's. A bucket goes when it is empty.
 */
import type { EntryRef } from '../../core/log/event-log.ts';
import type { BootId, EntryId, LogId, SnapshotId } from '../../core/model/ids.ts';
import { bucketDigits, bucketOrdinals, segmentDigits, sequenceDigits } from './limits.ts';

export interface LogKeys {
  readonly prefix: string;
  readonly logId: string;
  log(id: LogId): LogPaths;
}

/** Paths of one log. */
export interface LogPaths {
  readonly root: string;
  readonly open: string;
  readonly segments: string;
  readonly ids: string;
  readonly floor: string;
  readonly snapshots: string;
  segment(number: number): string;
  /** What ZooKeeper appends a number to. */
  newEntry(segment: number): string;
  entry(segment: number, sequence: number): string;
  bucket(ref: EntryRef): string;
  id(ref: EntryRef): string;
  snapshot(id: SnapshotId): string;
  chunk(id: SnapshotId, index: number): string;
  manifest(id: SnapshotId): string;
  readonly beats: string;
  beat(boot: BootId): string;
}

/** Of the first segment. Not nought, since a version of nought is that of a node never written to. */
export const firstSegment = 1;

const entryName = new RegExp(`(?:^|/)e-([0-9]{${sequenceDigits}})$`);
const segmentName = new RegExp(`^[0-9]{${segmentDigits}}$`);
const bucketName = new RegExp(`^[0-9]{${bucketDigits}}$`);

export function logKeys(prefix: string): LogKeys {
  return { prefix, logId: `${prefix}/log-id`, log: (id) => logPaths(`${prefix}/log-${id}`) };
}

function logPaths(root: string): LogPaths {
  const segments = `${root}/segments`;
  const ids = `${root}/ids`;
  const segment = (number: number) => `${segments}/${padded(number, segmentDigits)}`;
  const snapshot = (id: SnapshotId) => `${root}/snap/${id}`;
  const bucket = (ref: EntryRef) => `${ids}/${padded(Math.floor(ref.base / bucketOrdinals), bucketDigits)}`;
  return {
    root,
    open: `${root}/open`,
    segments,
    ids,
    floor: `${root}/floor`,
    snapshots: `${root}/snap`,
    segment,
    newEntry: (number) => `${segment(number)}/e-`,
    entry: (number, sequence) => `${segment(number)}/e-${padded(sequence, sequenceDigits)}`,
    bucket,
    id: (ref) => `${bucket(ref)}/${ref.id}`,
    snapshot,
    chunk: (id, index) => `${snapshot(id)}/${index}`,
    manifest: (id) => `${snapshot(id)}/manifest`,
    beats: `${root}/beats`,
    beat: (boot) => `${root}/beats/${boot}`,
  };
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}

/** The number that ZooKeeper gave a node; undefined when its path is not that of an entry. */
export function sequenceOf(path: string): number | undefined {
  const digits = entryName.exec(path)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The number of the segment of that name; undefined when it is none. */
export function segmentOf(name: string): number | undefined {
  return segmentName.test(name) ? Number(name) : undefined;
}

export function isBucketName(name: string): boolean {
  return bucketName.test(name);
}

export function isSnapshotId(name: string): name is SnapshotId {
  return /^[0-9a-f]{32}$/.test(name);
}

export function isBootId(name: string): name is BootId {
  return /^[0-9a-f]{32}$/.test(name);
}

/** True for the name of a node below the prefix that holds a log. */
export function isLogName(name: string): boolean {
  return /^log-[0-9a-f]{32}$/.test(name);
}

/** What the node of an entry holds. The base is there to find the id's node from the entry. */
export interface EntryData extends EntryRef {
  readonly bytes: Buffer;
}

/** The data of an entry's node, readable with `zkCli.sh get`. */
export function formatEntry(ref: EntryRef, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${ref.id} ${ref.base}\n`, 'latin1'), bytes]);
}

/** Undefined when the data is no entry of this layout. */
export function parseEntry(data: Buffer): EntryData | undefined {
  const header = data.subarray(0, data.indexOf('\n') + 1);
  const match = /^([0-9a-f]{32}) (0|[1-9][0-9]{0,15})\n$/.exec(header.toString('latin1'));
  if (match === null) return undefined;
  return { id: match[1] as EntryId, base: Number(match[2]), bytes: data.subarray(header.length) };
}

export function formatSegment(number: number): Buffer {
  return Buffer.from(String(number));
}

/** Undefined when the data is no number of a segment. */
export function parseSegment(data: Buffer): number | undefined {
  const text = data.toString('latin1');
  return /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : undefined;
}

/** The data of the log-id node: the version of this layout, then the id. */
export function formatLogId(id: LogId): Buffer {
  return Buffer.from(`weft-log 1 ${id}`);
}

/** Undefined when the data is no log id of this layout. */
export function parseLogId(data: Buffer): LogId | undefined {
  return /^weft-log 1 ([0-9a-f]{32})$/.exec(data.toString('latin1'))?.[1] as LogId | undefined;
}

/** True for the identity of a log of a later layout. */
export function isLaterLayout(data: Buffer): boolean {
  return /^weft-log ([2-9]|[1-9][0-9]+) /.test(data.toString('latin1'));
}
