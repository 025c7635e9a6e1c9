/**
 * What is done to a log's directory under its lock: entries are put, torn ends cut off, segments sealed and begun.
 *
 * The order of an append: catch up with what others wrote; look for the id; write the frame; sync it; only then let
 * `head` say so, and only then acknowledge. So a frame that is whole but beyond the head is one whose author died in
 * between, or whose head was lost with the power: it is adopted, that is, written over itself (which makes its pages
 * dirty again, whatever an earlier failed sync has made the kernel believe), synced, and published.
 *
 * A sync that failed is never repeated on that file: the kernel would report success for pages that it has given up. The
 * segment is sealed where it was durable before, what was durable is read again from the disk, and a new segment says
 * where the old one ends. Bytes beyond that are no part of the log even if they come back.
 *
 * Trimming is in trim.ts. Everything that is done here knows the floor first, and knows it to be durable: what builds on
 * an entry's being gone must not outlive its coming back.
 */

import { WeftError } from '../../core/errors.ts';
import { assert } from '../../core/lib/assert.ts';
import type { EntryDraft } from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Random } from '../../core/ports/random.ts';
import { otherLog } from '../log-faults.ts';
import type { FileLogBounds } from './defaults.ts';
import { DirectoryLock } from './directory-lock.ts';
import { removeLog } from './discard.ts';
import { damagedError, missingError, notSentError, storeError, unknownError } from './errors.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import type { Floor } from './floor.ts';
import { FloorFile } from './floor-file.ts';
import { encodeFrame, frameBytesMax, hasFrameFrom } from './frame.ts';
import { type Head } from './head.ts';
import type { HeadFile } from './head-file.ts';
import type { History } from './history.ts';
import type { Place } from './position.ts';
import { scanFrames } from './scan.ts';
import { createSegment, listSegments, readSegmentHeader, segmentPath, writeFully } from './segment.ts';
import { isOutdated, removeTrimmed, requireKnown, requireNotLowered } from './trim.ts';

export interface WriterPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What came of writing a frame: it is durable, or it is certain that it never will be part of the log. */
type Written =
  | { readonly type: 'durable'; readonly place: Place }
  | { readonly type: 'ruled-out'; readonly error: unknown };

export class Writer {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #history: History;
  readonly #headFile: HeadFile;
  readonly #floorFile: FloorFile;
  readonly #lock: DirectoryLock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #bounds: FileLogBounds;
  /** The last segment, open to write, and the id of that segment. */
  #file: { readonly segmentId: string; readonly file: OpenFile } | undefined;
  /** Sequence of the highest floor whose name this process has made durable. */
  #settledFloor = 0;

  constructor(
    fileSystem: FileSystem,
    directory: string,
    history: History,
    headFile: HeadFile,
    ports: WriterPorts,
    bounds: FileLogBounds,
  ) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#history = history;
    this.#headFile = headFile;
    this.#floorFile = new FloorFile(fileSystem, directory);
    this.#lock = new DirectoryLock(fileSystem, directory, ports, bounds);
    this.#random = ports.random;
    this.#logger = ports.logger;
    this.#bounds = bounds;
  }

  /**
   * Brings the directory into order: genesis where there is nothing, a head where there is none, no torn end.
   *
   * @throws WeftError `log-damaged`, `log-mismatch`, `store-unreachable` also when cancelled; system errors
   */
  async settle(signal: CancelSignal): Promise<void> {
    await this.#locked(signal, async () => {
      const segments = await listSegments(this.#fileSystem, this.#directory);
      const floor = await this.#knowFloor();
      const claim = await this.#headFile.read();
      if (segments.length > 0) await this.#recover(claim);
      else if (this.#history.logId !== undefined) throw missingError(this.#directory);
      else if (floor !== undefined)
        throw damagedError(
          this.#floorFile.path,
          0,
          'there is a floor, but none of the segments that lie on it',
        );
      else if (claim === 'missing') await this.#begin();
      else
        throw damagedError(
          this.#headFile.path,
          0,
          'there is a head, but none of the segments that it tells of',
        );
      await removeTrimmed(this.#fileSystem, this.#directory, this.#history.floor, this.#logger);
    });
  }

  /**
   * Puts an entry if its id is absent. `onSend` is called when something may have happened from now on; before that an
   * abort of `signal` sends nothing.
   *
   * @throws WeftError `entry-conflict`, `store-full`, `store-unreachable`, `permission-denied`, `log-mismatch`,
   *   `log-damaged`: nothing happened nor will happen; `outcome-unknown`
   */
  async put(draft: EntryDraft, signal: CancelSignal, onSend: () => void): Promise<Place> {
    return await this.#locked(signal, async () => {
      let failure: unknown;
      for (let attempt = 1; attempt <= this.#bounds.commitTries; attempt++) {
        const head = await this.#ready();
        const known = this.#history.sequenceOf(draft.id);
        if (known !== undefined) return await this.#confirm(known, draft);
        if (signal.aborted) throw notSentError(this.#directory, 'the request was cancelled');
        onSend();
        const written = await this.#write(head, draft);
        if (written.type === 'durable') return written.place;
        failure = written.error;
      }
      throw storeError(failure, `append to ${this.#directory}`);
    });
  }

  /**
   * Trims the log up to a place. `onSend` is as in `put`.
   *
   * @throws WeftError `log-ahead`, `log-mismatch`, `log-damaged`, `store-full`, `store-unreachable`, `permission-denied`:
   *   nothing happened; `outcome-unknown`
   */
  async trim(place: Place, signal: CancelSignal, onSend: () => void): Promise<void> {
    await this.#locked(signal, async () => {
      const { logId } = await this.#orderly();
      if (place.sequence >= this.#history.floor.sequence) requireKnown(this.#history, this.#directory, place);
      if (signal.aborted) throw notSentError(this.#directory, 'the request was cancelled');
      onSend();
      if (place.sequence > this.#history.floor.sequence) {
        const floor: Floor = { logId, sequence: place.sequence, checksum: place.checksum };
        await this.#floorFile.write(floor);
        this.#settledFloor = floor.sequence;
        await this.#history.raise(floor);
        this.#logger.info('the log was trimmed', { directory: this.#directory, upTo: floor.sequence });
      }
      await removeTrimmed(this.#fileSystem, this.#directory, this.#history.floor, this.#logger);
    });
  }

  /**
   * Removes the log, if it is the one of that identity, or there is none.
   *
   * @throws WeftError `log-mismatch`, `log-damaged`, `store-unreachable`, `permission-denied`
   */
  async discard(logId: LogId, signal: CancelSignal): Promise<void> {
    await this.#locked(signal, async () => {
      const [first] = await listSegments(this.#fileSystem, this.#directory);
      if (first === undefined) return;
      const found = await this.#headOfSegment(first);
      if (found.logId !== logId) throw otherLog(`file:${this.#directory}`, logId, found.logId);
      this.#logger.warn('a log is discarded', { directory: this.#directory, logId });
      await removeLog(this.#fileSystem, this.#directory);
    });
  }

  async close(): Promise<void> {
    await this.#closeFile();
    await this.#floorFile.close();
    await this.#lock.close();
  }

  async #locked<T>(signal: CancelSignal, work: () => Promise<T>): Promise<T> {
    try {
      if (!(await this.#lock.acquire(signal))) {
        throw notSentError(this.#directory, 'the request was cancelled before its turn to write came');
      }
    } catch (error) {
      throw storeError(error, `lock ${this.#directory}`);
    }
    try {
      return await work();
    } catch (error) {
      throw storeError(error, `write to ${this.#directory}`);
    } finally {
      this.#lock.release();
    }
  }

  /** The head of a log that is caught up with, ends cleanly and has room in its last segment. */
  async #ready(): Promise<Head> {
    const head = await this.#orderly();
    return head.end < this.#bounds.segmentBytesMax ? head : await this.#roll(head);
  }

  async #orderly(): Promise<Head> {
    await this.#knowFloor();
    const claim = await this.#headFile.read();
    if (claim === 'missing' || claim === 'unreadable' || claim.state === 'sealed')
      return await this.#recover(claim);
    if (await this.#isOutdated(claim)) return await this.#recover(claim);
    await this.#history.advance(claim);
    const file = await this.#fileOf(claim);
    const path = segmentPath(this.#directory, claim.segment);
    const [identity, size] = await Promise.all([this.#fileSystem.identityOf(path), file.size()]);
    if (identity !== file.identity) {
      // The directory was put back from a copy: what is written to the file that we hold would be lost.
      await this.#closeFile();
      return await this.#recover(claim);
    }
    return size === claim.end ? claim : await this.#adopt(claim, size);
  }

  /**
   * Finds the end of the log from the segments themselves: the head is lost, was written before the power failed, or
   * says that a new segment is due, which may have been begun.
   */
  async #recover(claim: Head | 'missing' | 'unreadable'): Promise<Head> {
    const last = (await listSegments(this.#fileSystem, this.#directory)).at(-1);
    if (last === undefined) throw missingError(this.#directory);
    const isCurrent = typeof claim === 'object' && !(await this.#isOutdated(claim));
    if (isCurrent && !(await this.#isSuperseded(claim, last))) await this.#history.advance(claim);
    const head = await this.#headOfSegment(last);
    await this.#history.advance(head);
    if (typeof claim === 'object' && claim.state === 'sealed' && claim.segmentId === head.segmentId)
      return await this.#roll(head);
    // Whoever began the segment may have died before its name was durable.
    await this.#fileSystem.syncDirectory(this.#directory);
    const size = await (await this.#fileOf(head)).size();
    if (size !== head.end) return await this.#adopt(head, size);
    this.#requireFloor(head);
    if (typeof claim !== 'object' || !isSame(claim, head)) await this.#headFile.write(head);
    return head;
  }

  /** What was trimmed was durable, so the log has not ended before it. */
  #requireFloor(head: Head): void {
    const { floor } = this.#history;
    if (head.sequence >= floor.sequence) return;
    const path = segmentPath(this.#directory, head.segment);
    throw damagedError(
      path,
      head.end,
      `it ends with entry ${head.sequence}, and ${floor.sequence} was trimmed`,
    );
  }

  async #isOutdated(claim: Head): Promise<boolean> {
    return await isOutdated(this.#fileSystem, this.#directory, claim, this.#history.floor);
  }

  /** Takes in where the log was trimmed, and makes that durable: whoever trimmed it may have died before. */
  async #knowFloor(): Promise<Floor | undefined> {
    const known = this.#history.floor;
    const floor = await this.#floorFile.read();
    // Where there is nothing at all, the directory may only not be mounted.
    const isEmpty = async () => (await listSegments(this.#fileSystem, this.#directory)).length === 0;
    if (floor === undefined && known.sequence > 0 && (await isEmpty())) throw missingError(this.#directory);
    requireNotLowered(this.#directory, known, floor);
    if (floor === undefined) return undefined;
    if (floor.sequence > this.#settledFloor) {
      await this.#fileSystem.syncDirectory(this.#directory);
      this.#settledFloor = floor.sequence;
    }
    await this.#history.raise(floor);
    return floor;
  }

  /** Whether the head names a segment without an entry that another one has replaced since. */
  async #isSuperseded(claim: Head, last: number): Promise<boolean> {
    if (claim.segment !== last || claim.sequence !== claim.segment - 1) return false;
    return (await this.#headOfSegment(last)).segmentId !== claim.segmentId;
  }

  /** A head that claims no more of a segment than what has been verified of it, at least its header. */
  async #headOfSegment(first: number): Promise<Head> {
    const path = segmentPath(this.#directory, first);
    const file = await this.#fileSystem.open(path, 'read');
    try {
      const { id, logId, end, checksum } = await readSegmentHeader(file, path, first);
      const known = this.#history.head;
      if (known?.segmentId === id) return known;
      return { logId, segment: first, segmentId: id, end, sequence: first - 1, checksum, state: 'open' };
    } finally {
      await file.close();
    }
  }

  /** Takes whole frames beyond the head into the log, and cuts a torn one off. */
  async #adopt(head: Head, size: number): Promise<Head> {
    const file = await this.#fileOf(head);
    const path = segmentPath(this.#directory, head.segment);
    if (size < head.end)
      throw damagedError(path, size, `the file is shorter than its durable part of ${head.end} bytes`);
    const range = { start: head.end, limit: size, after: head };
    const { end, last, problem } = await scanFrames(file, range, this.#bounds.pageBytesMax, () => undefined);
    if (problem !== undefined) {
      this.#requireFloor({ ...head, end, sequence: last.sequence });
      await this.#cutTornEnd(file, { path, end, size, sequence: last.sequence + 1, problem });
    }
    if (end > head.end) await rewrite(file, head.end, end);
    this.#requireFloor({ ...head, end, sequence: last.sequence });
    await file.sync();
    const adopted: Head = { ...head, end, sequence: last.sequence, checksum: last.checksum, state: 'open' };
    await this.#headFile.write(adopted);
    await this.#history.advance(adopted);
    const entries = last.sequence - head.sequence;
    this.#logger.info('the end of the log was put in order', {
      directory: this.#directory,
      entries,
      cutBytes: size - end,
    });
    return adopted;
  }

  async #cutTornEnd(
    file: OpenFile,
    torn: { path: string; end: number; size: number; sequence: number; problem: string },
  ): Promise<void> {
    const { path, end, size, sequence, problem } = torn;
    // A process writes one frame at a time and syncs it: what it leaves torn is shorter than a frame and the last.
    if (size - end > frameBytesMax)
      throw damagedError(path, end, `${problem}, and more follows than an append leaves`);
    const rest = Buffer.alloc(size - end);
    await file.read(rest, end);
    if (hasFrameFrom(rest, sequence)) throw damagedError(path, end, `${problem}, and a later entry follows`);
    await file.truncate(end);
  }

  /** The entry is there already: by an earlier try of its author, or by a defect. */
  async #confirm(sequence: number, draft: EntryDraft): Promise<Place> {
    const entry = await this.#history.entryAt(sequence);
    if (Buffer.compare(entry.bytes, draft.bytes) === 0) return this.#history.placeOf(sequence);
    throw new WeftError(
      'entry-conflict',
      `Entry ${draft.id} is in the log with other contents: an id was used twice, which is a defect of its author`,
    );
  }

  async #write(head: Head, draft: EntryDraft): Promise<Written> {
    const file = await this.#fileOf(head);
    const sequence = head.sequence + 1;
    const { bytes, checksum } = encodeFrame({
      kind: 'entry',
      sequence,
      base: draft.base,
      id: draft.id,
      payload: draft.bytes,
      previous: head.checksum,
    });
    try {
      await writeFully(file, bytes, head.end);
    } catch (error) {
      // Not all bytes are there, so no reader will ever take them for a frame; whether they can be cut off or not.
      await file.truncate(head.end).catch((cause: unknown) => {
        this.#logger.warn('cannot cut a torn write off; the next writer will', {
          directory: this.#directory,
          error: cause,
        });
      });
      throw error;
    }
    try {
      await file.sync();
    } catch (error) {
      return await this.#ruleOut(head, error);
    }
    const after: Head = { ...head, end: head.end + bytes.length, sequence, checksum };
    return { type: 'durable', place: await this.#publish(head, after, draft) };
  }

  /** From here on the entry is in the log, whatever happens. */
  async #publish(before: Head, head: Head, draft: EntryDraft): Promise<Place> {
    try {
      await this.#headFile.write(head);
      await this.#history.extend(before, head, draft.id);
    } catch (error) {
      throw unknownError(this.#directory, 'it is written, but the readers could not be told', error);
    }
    return { sequence: head.sequence, checksum: head.checksum };
  }

  /** After a failed sync: makes certain that the frame just written is no part of the log. */
  async #ruleOut(head: Head, error: unknown): Promise<Written> {
    this.#logger.error('a write could not be made durable; the segment is sealed and verified', {
      directory: this.#directory,
      segment: head.segment,
      error,
    });
    try {
      const file = await this.#fileOf(head);
      await file.truncate(head.end).catch((cause: unknown) => {
        this.#logger.warn('cannot cut the frame off; the seal rules it out', {
          directory: this.#directory,
          error: cause,
        });
      });
      await this.#closeFile();
      await this.#roll(head);
    } catch (cause) {
      throw unknownError(this.#directory, 'its write could not be made durable, nor be ruled out yet', cause);
    }
    return { type: 'ruled-out', error };
  }

  /** Seals the last segment where it is durable, and begins the next. */
  async #roll(head: Head): Promise<Head> {
    await this.#headFile.write({ ...head, state: 'sealed' });
    await this.#history.verifyLastSegment();
    return await this.#begin();
  }

  /** Begins the segment behind all that is known, or the first one of a new log. */
  async #begin(): Promise<Head> {
    await this.#closeFile();
    const { first, previousEnd, previous } = this.#history.link;
    const header = await createSegment(this.#fileSystem, this.#directory, {
      first,
      id: this.#random.hex(16),
      logId: this.#history.logId ?? (this.#random.hex(16) as LogId),
      previousEnd,
      previous,
    });
    const begun: Head = {
      logId: header.logId,
      segment: header.first,
      segmentId: header.id,
      end: header.end,
      sequence: header.first - 1,
      checksum: header.checksum,
      state: 'open',
    };
    await this.#headFile.write(begun);
    await this.#history.advance(begun);
    return begun;
  }

  async #fileOf(head: Head): Promise<OpenFile> {
    if (this.#file?.segmentId !== head.segmentId) {
      await this.#closeFile();
      const file = await this.#fileSystem.open(segmentPath(this.#directory, head.segment), 'write');
      this.#file = { segmentId: head.segmentId, file };
    }
    assert(this.#file !== undefined, 'the segment is open');
    return this.#file.file;
  }

  async #closeFile(): Promise<void> {
    const open = this.#file;
    this.#file = undefined;
    await open?.file.close();
  }
}

/** Writes a range over itself, so that the next sync carries it to the disk whatever became of earlier ones. */
async function rewrite(file: OpenFile, start: number, end: number): Promise<void> {
  const bytes = Buffer.allocUnsafe(end - start);
  await file.read(bytes, start);
  await writeFully(file, bytes, start);
}

function isSame(a: Head, b: Head): boolean {
  return a.segmentId === b.segmentId && a.end === b.end && a.checksum === b.checksum && a.state === b.state;
}
