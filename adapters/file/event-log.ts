/**
 * The embedded log: a directory of segment files that the daemons of one machine share.
 *
 * ```
 * LOCK, QUEUE                  empty; their kernel locks say who writes (directory-lock.ts)
 * head                         one line: up to where the log is durable (head.ts)
 * 00000000000000000001.log     frames, dense sequence, each chained to the one before (segment.ts, frame.ts)
 * ```
 *
 * Words: a *frame* is an entry with its checksum, or the header of a *segment*; the *head* is what is durable; a *place*
 * is a sequence with its frame's checksum, of which a position is the text; *torn* is an end that is no whole frame,
 * *damage* is anything wrong before the head. Torn ends are cut off by the next writer, damage is never touched.
 *
 * Writers hold the lock for one append (writer.ts). Readers take no lock: they read by place, up to the head and no
 * further, so nothing that a crash may still undo is delivered (history.ts). A change of `head` wakes them.
 */
import { isWeftError, WeftError } from '../../core/errors.ts';
import { type CancelScope, cancelScope } from '../../core/lib/cancel-scope.ts';
import { entryBytesMax } from '../../core/limits.ts';
import type {
  EntryDraft,
  EntryRef,
  EventLog,
  LogEntry,
  LogHealth,
  Position,
} from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { type FileLogBounds, fileLogDefaults } from './defaults.ts';
import {
  closedError,
  mismatchError,
  missingError,
  notSentError,
  storeError,
  undecidedError,
  unknownError,
} from './errors.ts';
import type { FileSystem, Watch } from './file-system.ts';
import { HeadFile } from './head-file.ts';
import { History } from './history.ts';
import { checkFileSystem } from './local-only.ts';
import { nodeFileSystem } from './node-file-system.ts';
import type { FileOptions } from './options.ts';
import { placeOf, positionOf } from './position.ts';
import { listSegments } from './segment.ts';
import { Serial } from './serial.ts';
import { Writer, type WriterPorts } from './writer.ts';

export interface FileEventLogParts {
  readonly fileSystem: FileSystem;
  readonly bounds: Partial<FileLogBounds>;
}

export class FileEventLog implements EventLog {
  readonly url: string;
  readonly #directory: string;
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #bounds: FileLogBounds;
  readonly #history: History;
  /** For reading; the writer has one of its own, so that neither closes a file under the other. */
  readonly #headFile: HeadFile;
  readonly #writersHeadFile: HeadFile;
  readonly #writer: Writer;
  /** What needs the directory's lock, one at a time within this handle. */
  readonly #writes = new Serial();
  /** Reads of the head, so that no older one comes after a newer. */
  readonly #reads = new Serial();
  readonly #scope: CancelScope = cancelScope();
  /** Tails that wait. */
  readonly #waiting = new Set<() => void>();
  #watch: Watch | undefined;
  #opening: Promise<LogId> | undefined;
  #closing: Promise<void> | undefined;
  #health: LogHealth = { reachable: true };

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
    return this.#health;
  }

  async open(signal: CancelSignal): Promise<LogId> {
    this.#checkOpen();
    if (signal.aborted) throw new WeftError('closed', `Opening the log in ${this.#directory} was cancelled`);
    this.#opening ??= this.#open(signal).catch((error: unknown) => {
      this.#opening = undefined;
      if (signal.aborted)
        throw new WeftError('closed', `Opening the log in ${this.#directory} was cancelled`);
      throw error;
    });
    return await this.#opening;
  }

  async append(draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    this.#checkOpen();
    if (draft.bytes.length > entryBytesMax) {
      throw new WeftError(
        'too-large',
        `An entry of ${draft.bytes.length} bytes is over the bound of ${entryBytesMax}: send less in one entry`,
      );
    }
    const own = { ...draft, bytes: Uint8Array.from(draft.bytes) };
    using scope = this.#cancelledWith(signal);
    let isSent = false;
    const put = this.#writes.run(() =>
      this.#writer.put(own, scope.signal, () => {
        isSent = true;
      }),
    );
    const gaveUp = cancelled(scope.signal).then(() => {
      if (isSent) throw unknownError(this.#directory, 'its author did not wait for the disk');
      throw this.#scope.signal.aborted
        ? closedError(this.#directory)
        : notSentError(this.#directory, 'it was cancelled');
    });
    const place = await this.#watched(Promise.race([put, gaveUp]));
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
    this.#checkOpen();
    using scope = this.#cancelledWith(signal);
    let sequence: number | undefined;
    while (!scope.signal.aborted) {
      const page = await this.#nextPage(async () => {
        sequence ??= this.#sequenceOf(after);
        return await this.#history.readAfter(sequence);
      }, scope.signal);
      for (const entry of page) {
        if (scope.signal.aborted) return;
        yield entry;
        sequence = placeOf(entry.position)?.sequence;
      }
    }
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #open(signal: CancelSignal): Promise<LogId> {
    using scope = this.#cancelledWith(signal);
    await this.#watched(this.#prepare(scope.signal));
    this.#startWatch();
    const { logId } = this.#history;
    if (logId === undefined) throw missingError(this.#directory);
    return logId;
  }

  async #prepare(signal: CancelSignal): Promise<void> {
    try {
      await this.#fileSystem.makeDirectory(this.#directory);
      await checkFileSystem(this.#fileSystem, this.#directory);
      // The long way through what is durable goes without the lock, so that a daemon that starts holds no other up.
      const head = await this.#headFile.read();
      const hasSegments = (await listSegments(this.#fileSystem, this.#directory)).length > 0;
      if (typeof head === 'object' && hasSegments && head.sequence >= head.segment)
        await this.#history.advance(head);
    } catch (error) {
      throw storeError(error, `open the log in ${this.#directory}`);
    }
    await this.#writes.run(() => this.#writer.settle(signal));
  }

  async #close(): Promise<void> {
    this.#scope.cancel();
    this.#watch?.close();
    await this.#opening?.catch(() => undefined);
    await this.#writes.idle();
    await this.#reads.idle();
    this.#watch?.close();
    await this.#writer.close();
    await this.#history.close();
    await this.#headFile.close();
    await this.#writersHeadFile.close();
  }

  /** Catches up with the head as it is after this call began. */
  async #refresh(signal: CancelSignal): Promise<void> {
    this.#checkOpen();
    using scope = this.#cancelledWith(signal);
    await this.#unlessCancelled(
      this.#reads.run(() => this.#readHead(scope.signal)),
      scope,
    );
  }

  /**
   * Decides about what is written beyond the head: the next writer would adopt it, however much later, so until then
   * nobody can say of an entry that it is not there and never will be.
   *
   * @throws WeftError `store-unreachable` also where that cannot be decided now
   */
  async #settle(signal: CancelSignal): Promise<void> {
    using scope = this.#cancelledWith(signal);
    const settled = this.#writes
      .run(() => this.#writer.settle(scope.signal))
      .catch((error: unknown) => {
        const isUndecided = isWeftError(error, 'outcome-unknown') || isWeftError(error, 'store-full');
        throw isUndecided ? undecidedError(this.#directory, error) : error;
      });
    await this.#unlessCancelled(settled, scope);
  }

  async #unlessCancelled(work: Promise<void>, scope: CancelScope): Promise<void> {
    const gaveUp = cancelled(scope.signal).then(() => {
      throw this.#scope.signal.aborted
        ? closedError(this.#directory)
        : notSentError(this.#directory, 'it was cancelled');
    });
    await this.#watched(Promise.race([work, gaveUp]));
  }

  async #readHead(signal: CancelSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      const known = this.#history.sequence;
      const head = await this.#headFile.read();
      if (typeof head === 'object') {
        await this.#history.advance(head, known);
        return;
      }
    } catch (error) {
      throw storeError(error, `read ${this.#directory}`);
    }
    // Lost or torn for good: whoever has the lock can tell what is durable.
    await this.#writes.run(() => this.#writer.settle(signal));
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
      return await this.#watched(
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

  /** @throws WeftError `log-ahead`, `log-mismatch` */
  #sequenceOf(position: Position): number {
    const place = placeOf(position);
    if (place === undefined)
      throw mismatchError(this.#directory, `'${position}' is no position of a file log`);
    if (place.sequence > this.#history.sequence) {
      throw new WeftError(
        'log-ahead',
        `Position ${position} lies beyond the end of ${this.url}, which has ${this.#history.sequence} entries: ` +
          'the directory has lost entries or is another one',
      );
    }
    if (this.#history.placeOf(place.sequence).checksum !== place.checksum) {
      throw mismatchError(
        this.#directory,
        `its entry ${place.sequence} is not the one of position ${position}`,
      );
    }
    return place.sequence;
  }

  /** Notifications only wake; without them the slow look of every tail still finds what is new. */
  #startWatch(): void {
    if (this.#scope.signal.aborted) return;
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

  #checkOpen(): void {
    if (this.#scope.signal.aborted) throw closedError(this.#directory);
  }

  /** Aborts with the caller's signal and with the log. */
  #cancelledWith(signal: CancelSignal): CancelScope {
    const scope = cancelScope(this.#scope.signal);
    const follow = (): void => scope.cancel();
    if (signal.aborted) scope.cancel();
    signal.addEventListener('abort', follow, { once: true });
    scope.signal.addEventListener('abort', () => signal.removeEventListener('abort', follow), { once: true });
    return scope;
  }

  /** Keeps the health by how an exchange with the file system ended. */
  async #watched<T>(exchange: Promise<T>): Promise<T> {
    try {
      const result = await exchange;
      this.#health = { reachable: true };
      return result;
    } catch (error) {
      const isTrouble = isPassing(error) && error.details['cancelled'] !== true;
      if (isTrouble) this.#health = { reachable: false, reason: error.message };
      throw error;
    }
  }
}

/** Trouble that a tail waits out. */
function isPassing(error: unknown): error is WeftError {
  return (
    isWeftError(error, 'store-unreachable') ||
    isWeftError(error, 'permission-denied') ||
    isWeftError(error, 'store-full')
  );
}

function cancelled(signal: CancelSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
