/**
 * The embedded log: a directory of segment files that the daemons of one machine share.
 *
 * ```
 * LOCK, QUEUE                  empty; their kernel locks say who writes (directory-lock.ts)
 * head                         one line: up to where the log is durable (head.ts)
 * floor                        one line: up to where the log was trimmed (floor.ts); none before the first trim
 * 00000000000000000001.log     frames, dense sequence, each chained to the one before (segment.ts, frame.ts)
 * snapshots/<id>/0000          chunks of a snapshot, and a `manifest` that was written last (snapshots.ts)
 * beats/<boot id>              what a daemon writes of itself while it lives (presence.ts)
 * ```
 *
 * Words: a *frame* is an entry with its checksum, or the header of a *segment*; the *head* is what is durable; a *place*
 * is a sequence with its frame's checksum, of which a position is the text; *torn* is an end that is no whole frame,
 * *damage* is anything wrong before the head. Torn ends are cut off by the next writer, damage is never touched.
 *
 * Writers hold the lock for one append (writer.ts). Readers take no lock: they read by place, up to the head and no
 * further, so nothing that a crash may still undo is delivered (history.ts). A change of `head` wakes them. The floor is
 * read after every head, so that whoever is behind it is told, and an entry that was trimmed and put once more is found
 * where it is now. A directory whose first segment begins behind entry 1 is whole only with a floor that says so.
 */
import { isWeftError, WeftError } from '../../core/errors.ts';
import { cancelScope } from '../../core/lib/cancel-scope.ts';
import { entryBytesMax } from '../../core/limits.ts';
import type {
  EntryDraft,
  EntryRef,
  EventLog,
  LogEntry,
  LogHealth,
  Position,
  WithoutLog,
} from '../../core/log/event-log.ts';
import { noLogError } from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { Beside } from './beside.ts';
import { type FileLogBounds, fileLogDefaults } from './defaults.ts';
import {
  missingError,
  notSentError,
  repeatError,
  storeError,
  undecidedError,
  unknownError,
} from './errors.ts';
import { Exchanges, isPassing } from './exchange.ts';
import type { FileSystem, Watch } from './file-system.ts';
import { FloorFile } from './floor-file.ts';
import type { Head } from './head.ts';
import { HeadFile } from './head-file.ts';
import { History } from './history.ts';
import { checkFileSystem } from './local-only.ts';
import { nodeFileSystem } from './node-file-system.ts';
import type { FileOptions } from './options.ts';
import { type Place, positionOf } from './position.ts';
import { FilePresence } from './presence.ts';
import { listSegments } from './segment.ts';
import { Serial } from './serial.ts';
import { FileSnapshots } from './snapshots.ts';
import { isOutdated, requireKnown, requireNotLowered, requirePlace } from './trim.ts';
import { namesIn } from './whole-file.ts';
import { Writer, type WriterPorts } from './writer.ts';

export interface FileEventLogParts {
  readonly fileSystem: FileSystem;
  readonly bounds: Partial<FileLogBounds>;
}

export class FileEventLog implements EventLog {
  readonly url: string;
  readonly #directory: string;
  readonly snapshots: FileSnapshots;
  readonly presence: FilePresence;
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #bounds: FileLogBounds;
  readonly #history: History;
  /** For reading; the writer has one of its own, so that neither closes a file under the other. */
  readonly #headFile: HeadFile;
  readonly #writersHeadFile: HeadFile;
  readonly #floorFile: FloorFile;
  readonly #writer: Writer;
  /** What needs the directory's lock, one at a time within this handle. */
  readonly #writes = new Serial();
  /** Reads of the head, so that no older one comes after a newer. */
  readonly #reads = new Serial();
  readonly #exchanges: Exchanges;
  /** Tails that wait. */
  readonly #waiting = new Set<() => void>();
  #watch: Watch | undefined;
  #opening: Promise<LogId> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: FileOptions, ports: WriterPorts, parts: Partial<FileEventLogParts> = {}) {
    this.url = `file:${options.directory}`;
    this.#directory = options.directory;
    this.#fileSystem = parts.fileSystem ?? nodeFileSystem;
    this.#clock = ports.clock;
    this.#logger = ports.logger;
    this.#bounds = { ...fileLogDefaults, ...parts.bounds };
    this.#history = new History(this.#fileSystem, this.#directory, this.#bounds);
    const newHeadFile = (): HeadFile =>
      new HeadFile(this.#fileSystem, this.#directory, this.#clock, this.#bounds);
    this.#headFile = newHeadFile();
    this.#writersHeadFile = newHeadFile();
    this.#floorFile = new FloorFile(this.#fileSystem, this.#directory);
    this.#exchanges = new Exchanges(this.#directory);
    const newBeside = (): Beside =>
      new Beside(this.#directory, this.#exchanges, (signal) => this.#refresh(signal));
    this.snapshots = new FileSnapshots(this.#fileSystem, this.#directory, newBeside());
    this.presence = new FilePresence(this.#fileSystem, this.#directory, newBeside());
    this.#writer = new Writer(
      this.#fileSystem,
      this.#directory,
      this.#history,
      this.#writersHeadFile,
      ports,
      this.#bounds,
    );
  }

  get health(): LogHealth {
    return this.#exchanges.health;
  }

  async open(signal: CancelSignal, withoutLog: WithoutLog = 'begin'): Promise<LogId> {
    this.#exchanges.checkOpen();
    if (signal.aborted) throw new WeftError('closed', `Opening the log in ${this.#directory} was cancelled`);
    this.#opening ??= this.#open(signal, withoutLog).catch((error: unknown) => {
      this.#opening = undefined;
      if (signal.aborted)
        throw new WeftError('closed', `Opening the log in ${this.#directory} was cancelled`);
      throw error;
    });
    return await this.#opening;
  }

  async append(draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    this.#exchanges.checkOpen();
    if (draft.bytes.length > entryBytesMax) {
      throw new WeftError(
        'too-large',
        `An entry of ${draft.bytes.length} bytes is over the bound of ${entryBytesMax}: send less in one entry`,
      );
    }
    const own = { ...draft, bytes: Uint8Array.from(draft.bytes) };
    const place = await this.#exchanges.run(
      signal,
      (given, onSend) => this.#writes.run(() => this.#writer.put(own, given, onSend)),
      () => unknownError(this.#directory, 'its author did not wait for the disk'),
    );
    this.#wake();
    return positionOf(place);
  }

  async resolve(ref: EntryRef, signal: CancelSignal): Promise<Position | undefined> {
    await this.#refresh(signal);
    if (this.#history.sequenceOf(ref.id) === undefined) await this.#settle(signal);
    const sequence = this.#history.sequenceOf(ref.id);
    return sequence === undefined ? undefined : positionOf(this.#history.placeOf(sequence));
  }

  async head(signal: CancelSignal): Promise<Position> {
    await this.#refresh(signal);
    return positionOf(this.#history.placeOf(this.#history.sequence));
  }

  async *tail(after: Position, signal: CancelSignal): AsyncGenerator<LogEntry, void, void> {
    this.#exchanges.checkOpen();
    using scope = this.#exchanges.cancelledWith(signal);
    let place: Place | undefined;
    while (!scope.signal.aborted) {
      const page = await this.#nextPage(async () => {
        place ??= requirePlace(this.#directory, after);
        requireKnown(this.#history, this.#directory, place);
        return await this.#history.readAfter(place.sequence);
      }, scope.signal);
      for (const entry of page) {
        if (scope.signal.aborted) return;
        yield entry;
        place = requirePlace(this.#directory, entry.position);
      }
    }
  }

  async trim(upTo: Position, signal: CancelSignal): Promise<void> {
    this.#exchanges.checkOpen();
    const place = requirePlace(this.#directory, upTo);
    await this.#exchanges.run(
      signal,
      (given, onSend) => this.#writes.run(() => this.#writer.trim(place, given, onSend)),
      () => repeatError(`trim the log in ${this.#directory}`),
    );
    this.#wake();
  }

  async discard(logId: LogId, signal: CancelSignal): Promise<void> {
    await this.#exchanges.run(
      signal,
      async (given, onSend) => {
        if ((await namesIn(this.#fileSystem, this.#directory)).length === 0) return;
        onSend();
        await this.#writes.run(() => this.#writer.discard(logId, given));
      },
      () => repeatError(`discard the log in ${this.#directory}`),
    );
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #open(signal: CancelSignal, withoutLog: WithoutLog): Promise<LogId> {
    using scope = this.#exchanges.cancelledWith(signal);
    await this.#exchanges.watched(this.#prepare(scope.signal, withoutLog));
    this.#startWatch();
    const { logId } = this.#history;
    if (logId === undefined) throw missingError(this.#directory);
    return logId;
  }

  async #prepare(signal: CancelSignal, withoutLog: WithoutLog): Promise<void> {
    try {
      if (withoutLog === 'begin') await this.#fileSystem.makeDirectory(this.#directory);
      await checkFileSystem(this.#fileSystem, this.#directory);
      // The long way through what is durable goes without the lock, so that a daemon that starts holds no other up.
      const hasSegments = (await listSegments(this.#fileSystem, this.#directory)).length > 0;
      if (!hasSegments && withoutLog === 'refuse') throw noLogError(this.url);
      if (hasSegments) await this.#catchUp((head) => head.sequence >= head.segment);
    } catch (error) {
      throw storeError(error, `open the log in ${this.#directory}`);
    }
    await this.#writes.run(() => this.#writer.settle(signal));
  }

  async #close(): Promise<void> {
    this.#exchanges.close();
    this.#watch?.close();
    await this.#opening?.catch(() => undefined);
    await this.#writes.idle();
    await this.#reads.idle();
    this.#watch?.close();
    await this.#writer.close();
    await this.#history.close();
    await this.#headFile.close();
    await this.#floorFile.close();
    await this.#writersHeadFile.close();
  }

  /** Catches up with the head as it is after this call began. */
  async #refresh(signal: CancelSignal): Promise<void> {
    await this.#exchanges.run(
      signal,
      (given) => this.#reads.run(() => this.#readHead(given)),
      () => notSentError(this.#directory, 'it was cancelled'),
    );
  }

  /**
   * Decides about what is written beyond the head: the next writer would adopt it, however much later, so until then
   * nobody can say of an entry that it is not there and never will be.
   *
   * @throws WeftError `store-unreachable` also where that cannot be decided now
   */
  async #settle(signal: CancelSignal): Promise<void> {
    const settle = async (given: CancelSignal): Promise<void> => {
      try {
        await this.#writes.run(() => this.#writer.settle(given));
      } catch (error) {
        const isUndecided = isWeftError(error, 'outcome-unknown') || isWeftError(error, 'store-full');
        throw isUndecided ? undecidedError(this.#directory, error) : error;
      }
    };
    await this.#exchanges.run(signal, settle, () => notSentError(this.#directory, 'it was cancelled'));
  }

  async #readHead(signal: CancelSignal): Promise<void> {
    if (signal.aborted) return;
    let isCaughtUp: boolean;
    try {
      isCaughtUp = await this.#catchUp();
    } catch (error) {
      throw storeError(error, `read ${this.#directory}`);
    }
    // Lost, torn for good or outdated: whoever has the lock can tell what is durable.
    if (!isCaughtUp) await this.#writes.run(() => this.#writer.settle(signal));
  }

  /** Reads up to the head as it is now. False where that does not say enough, or `accept` does not take it. */
  async #catchUp(accept: (head: Head) => boolean = () => true): Promise<boolean> {
    for (;;) {
      const { sequence: known, floor: lowest } = this.#history;
      const head = await this.#headFile.read();
      if (typeof head !== 'object' || !accept(head)) return false;
      const floor = await this.#floorFile.read();
      try {
        requireNotLowered(this.#directory, lowest, floor);
        if (floor !== undefined) await this.#history.raise(floor);
        if (await isOutdated(this.#fileSystem, this.#directory, head, this.#history.floor)) return false;
        await this.#history.advance(head, known);
        return true;
      } catch (error) {
        // Somebody may have trimmed it, and removed what led to this head.
        if ((await this.#floorFile.read())?.sequence === floor?.sequence) throw error;
      }
    }
  }

  /** What is behind a tail's place, however long it takes; nothing when cancelled. */
  async #nextPage(read: () => Promise<LogEntry[]>, signal: CancelSignal): Promise<LogEntry[]> {
    while (!signal.aborted) {
      using news = cancelScope(signal);
      // Before reading: a wake-up between reading and waiting must end the wait.
      this.#waiting.add(news.cancel);
      try {
        const page = await this.#tryRead(read, signal);
        if (page.length > 0) return page;
        await this.#rest(news.signal);
      } finally {
        this.#waiting.delete(news.cancel);
      }
    }
    return [];
  }

  /** Nothing where there is trouble that passes. */
  async #tryRead(read: () => Promise<LogEntry[]>, signal: CancelSignal): Promise<LogEntry[]> {
    try {
      await this.#refresh(signal);
      return await this.#exchanges.watched(
        read().catch((error: unknown) => {
          throw storeError(error, `read ${this.#directory}`);
        }),
      );
    } catch (error) {
      if (signal.aborted || isPassing(error)) return [];
      throw error;
    }
  }

  /** Until something may be new. */
  async #rest(news: CancelSignal): Promise<void> {
    if (this.#watch === undefined) this.#startWatch();
    const isWatching = this.#watch !== undefined;
    await this.#clock.sleep(isWatching ? this.#bounds.pollMs : this.#bounds.pollWithoutWatchMs, news);
  }

  /** Notifications only wake; without them the slow look of every tail still finds what is new. */
  #startWatch(): void {
    if (this.#exchanges.isClosed) return;
    try {
      this.#watch = this.#fileSystem.watch(this.#headFile.path, (isGone) => this.#onChange(isGone));
    } catch (error) {
      this.#logger.debug('no notifications of changes; looking for them instead', {
        directory: this.#directory,
        error,
      });
    }
  }

  #onChange(isGone: boolean): void {
    if (isGone) {
      this.#watch?.close();
      this.#watch = undefined;
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
