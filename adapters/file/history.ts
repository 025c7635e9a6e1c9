/**
 * What one handle has read and verified of the log: which entry lies where, and nothing that is not durable.
 *
 * Grows by `advance`, up to what a head says; every frame on the way is checked by its own checksum and by its place in
 * the chain. In memory it keeps an offset, a checksum and an id for each entry; contents are read when they are asked for.
 *
 * It begins behind the *floor*, where the log was trimmed: `raise` says so, and must be told of a floor before a head that
 * was written under it, or an entry that was put once more would be taken for the one that was trimmed.
 */
import type { WeftError } from '../../core/errors.ts';
import { assert } from '../../core/lib/assert.ts';
import type { LogEntry } from '../../core/log/event-log.ts';
import type { EntryId, LogId } from '../../core/model/ids.ts';
import type { FileLogBounds } from './defaults.ts';
import { damagedError, mismatchError } from './errors.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import type { Floor } from './floor.ts';
import { decodeFrame } from './frame.ts';
import type { Head } from './head.ts';
import { type Place, positionOf } from './position.ts';
import { scanFrames } from './scan.ts';
import { listSegments, readSegmentHeader, type SegmentHeader, segmentPath } from './segment.ts';
import { Serial } from './serial.ts';

interface Segment {
  readonly header: SegmentHeader;
  /** By entry of the segment: where its frame begins, and its checksum. */
  readonly offsets: number[];
  readonly checksums: number[];
  /** Where the last verified frame ends, bytes. */
  end: number;
}

export class History {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #bounds: FileLogBounds;
  readonly #serial = new Serial();
  readonly #segments: Segment[] = [];
  readonly #sequences = new Map<string, number>();
  /** Ids of segments whose names have been taken by others before they had an entry. */
  readonly #replaced = new Set<string>();
  /** The last segment, open to read. */
  #file: OpenFile | undefined;
  #floor: Floor | undefined;
  #logId: LogId | undefined;

  constructor(fileSystem: FileSystem, directory: string, bounds: FileLogBounds) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#bounds = bounds;
  }

  /** Undefined before the first segment was read. */
  get logId(): LogId | undefined {
    return this.#logId;
  }

  /** The head that describes what has been verified; undefined before the first segment was read. */
  get head(): Head | undefined {
    const last = this.#segments.at(-1);
    if (last === undefined) return undefined;
    const { header, end } = last;
    const { sequence, checksum } = this.#tip(last);
    return {
      logId: header.logId,
      segment: header.first,
      segmentId: header.id,
      end,
      sequence,
      checksum,
      state: 'open',
    };
  }

  /** Sequence of the last entry, 0 when there never was one. */
  get sequence(): number {
    return Math.max(this.#lastRead, this.floor.sequence);
  }

  /** The last entry that was trimmed; sequence 0 when there is none. */
  get floor(): Place {
    return this.#floor ?? { sequence: 0, checksum: 0 };
  }

  get #lastRead(): number {
    const last = this.#segments.at(-1);
    return last === undefined ? 0 : this.#tip(last).sequence;
  }

  /** What the header of the next segment must say; all zero before the first. */
  get link(): Pick<SegmentHeader, 'first' | 'previousEnd' | 'previous'> {
    const last = this.#segments.at(-1);
    if (last === undefined) return { first: 1, previousEnd: 0, previous: 0 };
    // One without an entry is replaced, so that it is as if it had never been.
    if (last.offsets.length === 0) return last.header;
    return { first: this.sequence + 1, previousEnd: last.end, previous: this.#tip(last).checksum };
  }

  sequenceOf(id: EntryId): number | undefined {
    return this.#sequences.get(id);
  }

  /** Where an entry is that is known, or the last one that was trimmed; sequence 0 is before the first. */
  placeOf(sequence: number): Place {
    const { floor } = this;
    if (sequence === floor.sequence) return { sequence, checksum: floor.checksum };
    const { segment, index } = this.#locate(sequence);
    return { sequence, checksum: segment.checksums[index] ?? 0 };
  }

  /**
   * Forgets what was trimmed. A floor that is no higher than the one that is known changes nothing.
   *
   * @throws WeftError `log-mismatch` when it is not a place of the log that was read
   */
  async raise(floor: Floor): Promise<void> {
    await this.#serial.run(async () => {
      if (floor.sequence <= this.floor.sequence) return;
      if (floor.logId !== (this.logId ?? floor.logId))
        throw mismatchError(this.#directory, `it was trimmed as the log ${floor.logId}`);
      // Who is behind the floor cannot read on to it, and begins anew from there.
      if (this.#lastRead < floor.sequence) await this.#forgetAll();
      else this.#forgetUpTo(floor);
      this.#floor = floor;
    });
  }

  /**
   * Reads and verifies up to a head. A head that is known already costs nothing.
   *
   * @param known what was known when the head began to be read: this process may have written on since then, and then
   *   the head is merely late. Left out where nobody can write meanwhile.
   * @throws WeftError `log-damaged`; `log-mismatch` when what was read before is not what leads to the head; system errors
   */
  async advance(head: Head, known?: number): Promise<void> {
    await this.#serial.run(async () => {
      if (known !== undefined && head.sequence >= known && head.sequence < this.#lastRead) return;
      if (this.#isBehindUs(head)) return;
      while (!this.#isLast(head)) {
        await this.#dropReplaced(head);
        if (this.#isOfReplaced(head)) return;
        await this.#enterNextSegment(head);
      }
      await this.#readTo(head.end);
      const last = this.#segments.at(-1);
      assert(last !== undefined, 'a head is in a segment');
      const tip = this.#tip(last);
      if (tip.sequence === head.sequence && tip.checksum === head.checksum) return;
      throw damagedError(
        last.header.path,
        last.end,
        `entry ${head.sequence}, which is durable, does not end here`,
      );
    });
  }

  /** Takes in an entry that this process has just written and published, if it is the next one; else reads it. */
  async extend(before: Head, after: Head, id: EntryId): Promise<void> {
    const isNext = await this.#serial.run(async () => {
      const last = this.#segments.at(-1);
      if (last === undefined || last.header.id !== before.segmentId || last.end !== before.end) return false;
      this.#include(last, { id, sequence: after.sequence, checksum: after.checksum }, before.end, after.end);
      return true;
    });
    if (!isNext) await this.advance(after);
  }

  /** Reads the last segment again, from the disk as far as the kernel obeys, and compares it with what is known. */
  async verifyLastSegment(): Promise<void> {
    await this.#serial.run(async () => {
      const last = this.#segments.at(-1);
      assert(last !== undefined, 'a log has a segment');
      const file = await this.#fileSystem.open(last.header.path, 'read');
      try {
        file.dropCache();
        const header = await readSegmentHeader(file, last.header.path, last.header.first);
        const range = {
          start: header.end,
          limit: last.end,
          after: { sequence: header.first - 1, checksum: header.checksum },
        };
        const {
          end,
          last: tip,
          problem,
        } = await scanFrames(file, range, this.#bounds.pageBytesMax, () => undefined);
        const known = this.#tip(last);
        if (problem !== undefined) throw damagedError(header.path, end, problem);
        if (tip.sequence !== known.sequence || tip.checksum !== known.checksum) {
          throw damagedError(header.path, end, 'it holds other entries than it did before');
        }
      } finally {
        await file.close();
      }
    });
  }

  /** The entries behind a sequence that is known: at least one where there is one, at most a page. */
  async readAfter(sequence: number): Promise<LogEntry[]> {
    if (sequence >= this.sequence) return [];
    const first = sequence + 1;
    const { segment, index } = this.#locate(first);
    const start = segment.offsets[index] ?? 0;
    let count = 1;
    while (index + count < segment.offsets.length) {
      if (endOf(segment, index + count) - start > this.#bounds.pageBytesMax) break;
      count += 1;
    }
    const bytes = Buffer.allocUnsafe(endOf(segment, index + count - 1) - start);
    const length = await this.#read(segment, bytes, start);
    return this.#decode(bytes.subarray(0, length), segment, index, count);
  }

  /** The entry of a sequence that is known. */
  async entryAt(sequence: number): Promise<LogEntry> {
    const { segment, index } = this.#locate(sequence);
    const start = segment.offsets[index] ?? 0;
    const bytes = Buffer.allocUnsafe(endOf(segment, index) - start);
    const length = await this.#read(segment, bytes, start);
    const [entry] = this.#decode(bytes.subarray(0, length), segment, index, 1);
    assert(entry !== undefined, 'one entry was decoded');
    return entry;
  }

  async close(): Promise<void> {
    await this.#serial.run(async () => this.#closeFile());
  }

  /**
   * A head must lie where we are or further on, in the same log. One of the same sequence may be of a segment that we
   * have left already: its successor was begun, and whoever began it could not say so in the head.
   */
  #isBehindUs(head: Head): boolean {
    const { logId } = this;
    const sequence = this.#lastRead;
    const last = this.#segments.at(-1)?.header;
    if (logId === undefined) return false;
    if (head.logId !== logId) throw mismatchError(this.#directory, `its id is ${head.logId}, not ${logId}`);
    if (last === undefined) return false;
    if (head.sequence < sequence) {
      throw mismatchError(
        this.#directory,
        `it ends at entry ${head.sequence}, and entry ${sequence} was read before`,
      );
    }
    if (head.sequence > sequence) return false;
    if (this.#replaced.has(head.segmentId)) return true;
    if (head.segment < last.first) {
      // Only from one that has no entry yet: what is counted in ours cannot lie in one before it.
      if (last.first === sequence + 1 && head.checksum === this.placeOf(sequence).checksum) return true;
      throw this.#otherEntry(sequence);
    }
    if (head.segmentId === last.id && head.checksum !== this.head?.checksum) {
      throw this.#otherEntry(sequence);
    }
    return false;
  }

  #otherEntry(sequence: number): WeftError {
    return mismatchError(this.#directory, `its entry ${sequence} is not the one that was read before`);
  }

  #isLast(head: Head): boolean {
    const header = this.#segments.at(-1)?.header;
    return header?.first === head.segment && header.id === head.segmentId;
  }

  /**
   * Whether a head names a segment without an entry, and the last one, which is under its path now, is another of that
   * name: the head was read before its segment was replaced, and what it says is durable has been read.
   */
  #isOfReplaced(head: Head): boolean {
    const last = this.#segments.at(-1)?.header;
    if (last?.first !== head.segment || last.id === head.segmentId) return false;
    if (head.sequence !== head.segment - 1) return false;
    this.#replaced.add(head.segmentId);
    return true;
  }

  /** Goes on to the segment behind the last one, having read that one to where the next says that it ends. */
  async #enterNextSegment(head: Head): Promise<void> {
    const last = this.#segments.at(-1);
    const first = await this.#firstBehind(last);
    if (first === undefined || first > head.segment) {
      const path = segmentPath(this.#directory, head.segment);
      throw damagedError(
        path,
        0,
        'the segment is missing, or another one has its name, and its entries are durable',
      );
    }
    const path = segmentPath(this.#directory, first);
    const file = await this.#fileSystem.open(path, 'read');
    try {
      const header = await readSegmentHeader(file, path, first);
      if (header.logId !== (this.logId ?? this.#floor?.logId ?? header.logId)) {
        throw mismatchError(this.#directory, `${path} belongs to the log ${header.logId}`);
      }
      if (last !== undefined) await this.#readTo(header.previousEnd);
      this.#checkLink(last, header);
      await this.#closeFile();
      this.#file = file;
      this.#logId = header.logId;
      this.#segments.push({ header, offsets: [], checksums: [], end: header.end });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** A segment without an entry may have been replaced by another of its name: after a failed sync of its first one. */
  async #dropReplaced(head: Head): Promise<void> {
    const last = this.#segments.at(-1);
    if (last === undefined || last.offsets.length > 0) return;
    const identity = await this.#fileSystem.identityOf(last.header.path);
    if (identity === this.#file?.identity) return;
    if (head.segment < last.header.first) return;
    this.#segments.pop();
    this.#replaced.add(last.header.id);
    await this.#closeFile();
  }

  /** The segment behind one, or the one to begin with: where the first entry behind the floor is or will be. */
  async #firstBehind(last: Segment | undefined): Promise<number | undefined> {
    const all = await listSegments(this.#fileSystem, this.#directory);
    if (last !== undefined) return all.find((first) => first > last.header.first);
    return all.findLast((first) => first <= this.floor.sequence + 1) ?? all[0];
  }

  #checkLink(last: Segment | undefined, header: SegmentHeader): void {
    // What comes before it was trimmed; the floor's own entry is in it and will be compared.
    if (last === undefined && header.first > 1 && header.first <= this.floor.sequence) return;
    const expected = last === undefined ? this.#beginning(header) : this.#tip(last);
    if (header.first !== expected.sequence + 1) {
      throw damagedError(
        header.path,
        0,
        `entries ${expected.sequence + 1} to ${header.first - 1} are missing before it`,
      );
    }
    if (header.previous !== expected.checksum)
      throw damagedError(header.path, 0, 'it does not follow from the segment before');
  }

  /** What must come before the first segment that is read. */
  #beginning(header: SegmentHeader): Place {
    return header.first === 1 ? { sequence: 0, checksum: 0 } : this.floor;
  }

  /** Reads the last segment on, to where a frame must end. */
  async #readTo(limit: number): Promise<void> {
    const last = this.#segments.at(-1);
    assert(last !== undefined, 'there is a segment to read');
    if (limit === last.end) return;
    if (limit < last.end)
      throw damagedError(last.header.path, limit, `it was read to byte ${last.end} before`);
    const range = { start: last.end, limit, after: this.#tip(last) };
    const { end, problem } = await scanFrames(
      await this.#currentFile(last.header.path),
      range,
      this.#bounds.pageBytesMax,
      (frame, offset) => {
        this.#include(last, frame, offset, offset + frame.length);
      },
    );
    if (problem !== undefined) throw damagedError(last.header.path, end, problem);
  }

  #include(segment: Segment, entry: Place & { readonly id: string }, offset: number, end: number): void {
    const { floor } = this;
    if (entry.sequence === floor.sequence && entry.checksum !== floor.checksum)
      throw damagedError(segment.header.path, offset, 'it is not the entry up to which the log was trimmed');
    segment.offsets.push(offset);
    segment.checksums.push(entry.checksum);
    segment.end = end;
    if (entry.sequence <= floor.sequence) return;
    if (!this.#sequences.has(entry.id)) this.#sequences.set(entry.id, entry.sequence);
  }

  async #forgetAll(): Promise<void> {
    await this.#closeFile();
    this.#segments.length = 0;
    this.#sequences.clear();
  }

  #forgetUpTo(floor: Place): void {
    if (this.placeOf(floor.sequence).checksum !== floor.checksum)
      throw mismatchError(this.#directory, `it was trimmed to another entry ${floor.sequence}`);
    while ((this.#segments[1]?.header.first ?? Number.POSITIVE_INFINITY) <= floor.sequence + 1)
      this.#segments.shift();
    for (const [id, sequence] of this.#sequences) if (sequence <= floor.sequence) this.#sequences.delete(id);
  }

  /**
   * The last segment as it is under its path now: a directory may have been put back from a copy. One that is gone while
   * there is a head was no part of the copy, which has gone on in segments of its own.
   */
  async #currentFile(path: string): Promise<OpenFile> {
    const identity = await this.#fileSystem.identityOf(path);
    if (identity === undefined)
      throw mismatchError(
        this.#directory,
        `${path} was read before and is gone, and the log goes on without it`,
      );
    if (this.#file?.identity === identity) return this.#file;
    await this.#closeFile();
    this.#file = await this.#fileSystem.open(path, 'read');
    return this.#file;
  }

  /** Sequence of the last entry and checksum of the last frame, which may be the segment's header. */
  #tip(segment: Segment): Place {
    const sequence = segment.header.first + segment.offsets.length - 1;
    return { sequence, checksum: segment.checksums.at(-1) ?? segment.header.checksum };
  }

  #locate(sequence: number): { segment: Segment; index: number } {
    const first = this.#segments[0]?.header.first ?? Number.POSITIVE_INFINITY;
    assert(sequence >= first && sequence <= this.#lastRead, 'only known entries are looked for');
    let low = 0;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle]?.header.first ?? 0) <= sequence) low = middle;
      else high = middle - 1;
    }
    const segment = this.#segments[low];
    assert(segment !== undefined, 'an entry is in a segment');
    return { segment, index: sequence - segment.header.first };
  }

  async #read(segment: Segment, into: Buffer, position: number): Promise<number> {
    const { path } = segment.header;
    if (segment === this.#segments.at(-1) && this.#file !== undefined) {
      const length = await this.#file.read(into, position);
      if (length === into.length) return length;
      // Not the file any more that the entry was written to.
      return await this.#serial.run(async () => (await this.#currentFile(path)).read(into, position));
    }
    const file = await this.#fileSystem.open(path, 'read');
    try {
      return await file.read(into, position);
    } finally {
      await file.close();
    }
  }

  /** Entries that were verified once, verified again: disks decay, and directories are swapped. */
  #decode(bytes: Buffer, segment: Segment, index: number, count: number): LogEntry[] {
    const entries: LogEntry[] = [];
    let at = 0;
    for (let done = 0; done < count; done++) {
      const sequence = segment.header.first + index + done;
      const { path } = segment.header;
      const offset = segment.offsets[index + done] ?? 0;
      const decoding = decodeFrame(bytes, at);
      if (decoding.type === 'short') throw damagedError(path, offset, 'the file has become shorter');
      if (decoding.type === 'bad') throw damagedError(path, offset, decoding.reason);
      const { frame } = decoding;
      if (frame.sequence !== sequence || frame.checksum !== segment.checksums[index + done]) {
        throw mismatchError(this.#directory, `entry ${sequence} is not the one that was read before`);
      }
      // A copy: the entry may live long, the page must not.
      entries.push({
        position: positionOf(frame),
        id: frame.id as EntryId,
        bytes: Uint8Array.from(frame.payload),
      });
      at += frame.length;
    }
    return entries;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

/** Where the frame of an entry ends. */
function endOf(segment: Segment, index: number): number {
  return segment.offsets[index + 1] ?? segment.end;
}
