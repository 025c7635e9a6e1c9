/**
 * The archive as files in a directory, for the owner alone: one that is written line by line and synced with every
 * write, and complete ones, compressed, the oldest of which go when all take more room than they may.
 *
 * Nothing is mended in place. What a crash, a full disk or a failed sync leaves behind is read again from the disk, its
 * good lines become a complete file, and the next write begins a new one. `segment.ts` has the form of the files.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { isWeftError, WeftError } from '../../core/errors.ts';
import { assert } from '../../core/lib/assert.ts';
import type { LogId } from '../../core/model/ids.ts';
import type {
  Archive,
  ArchiveAccount,
  ArchiveLine,
  ArchiveSpan,
  ArchiveTurn,
} from '../../core/ports/archive.ts';
import { isSystemError } from '../file/errors.ts';
import type { FileSystem, OpenFile } from '../file/file-system.ts';
import { writeFully } from '../file/segment.ts';
import { Serial } from '../file/serial.ts';
import { putWhole } from '../file/whole-file.ts';
import { expandedBytesMax, segmentBytesMax, segmentLinesMax } from './limits.ts';
import {
  decodeLines,
  encodeLine,
  nameOf,
  parseName,
  type ReadLines,
  type Series,
  segmentHead,
} from './segment.ts';
import { mergedSpans, oldestOf, piecesOf, type Segment, spansOf } from './view.ts';

const pack = promisify(gzip);
const unpack = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip);

export interface DirectoryArchiveOptions {
  readonly directory: string;
  /** Of all files together; the one that is being written may take it over that. */
  readonly bytesMax: number;
  /** `segmentLinesMax` where absent. */
  readonly segmentLinesMax?: number;
}

/** The file that is being written. */
interface Current {
  readonly segment: Segment;
  readonly file: OpenFile;
}

export class DirectoryArchive implements Archive {
  readonly #options: DirectoryArchiveOptions;
  readonly #fileSystem: FileSystem;
  readonly #serial = new Serial();
  #segments: readonly Segment[] = [];
  #current: Current | undefined;
  readonly #damage: string[] = [];
  /** The complete file that was read last, since pages are shorter than files. */
  #cached: { readonly name: string; readonly lines: readonly ArchiveLine[] } | undefined;
  #account: ArchiveAccount = { spans: [], bytes: 0, damage: [] };

  constructor(options: DirectoryArchiveOptions, fileSystem: FileSystem) {
    this.#options = options;
    this.#fileSystem = fileSystem;
  }

  get account(): ArchiveAccount {
    return this.#account;
  }

  get logId(): LogId | undefined {
    return this.#newest?.logId;
  }

  get #newest(): Series | undefined {
    return this.#segments.reduce<Series | undefined>(
      (newest, { series }) => (newest === undefined || series.number >= newest.number ? series : newest),
      undefined,
    );
  }

  async open(): Promise<void> {
    await this.#run('open', async () => {
      const { directory } = this.#options;
      await this.#fileSystem.makeDirectory(directory);
      const names = await this.#fileSystem.list(directory);
      const segments: Segment[] = [];
      for (const name of names.toSorted()) {
        if (name.endsWith('.tmp')) await this.#fileSystem.remove(`${directory}/${name}`);
        else if (!isCopied(name, names)) segments.push(...(await this.#look(name)));
        else await this.#fileSystem.remove(`${directory}/${name}`);
      }
      this.#setSegments(segments);
    });
  }

  async write(lines: readonly ArchiveLine[], turn?: ArchiveTurn): Promise<void> {
    const [first] = lines;
    if (first === undefined) return;
    await this.#run('write', async () => {
      const series = this.#seriesFor(first.ordinal, turn);
      const bytes = Buffer.concat(lines.map(encodeLine));
      try {
        const { file, segment } = await this.#ready(series, first.ordinal);
        await writeFully(file, bytes, segment.bytes);
        await file.sync();
        const spans = mergedSpans([
          ...segment.spans,
          { first: first.ordinal, last: first.ordinal + lines.length - 1 },
        ]);
        this.#current = { file, segment: { ...segment, spans, bytes: segment.bytes + bytes.length } };
        this.#replace(segment, [this.#current.segment]);
      } catch (error) {
        await this.#letGo();
        throw error;
      }
    });
  }

  async read({
    after,
    limit,
  }: {
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly ArchiveLine[]> {
    return await this.#run('read', async () => {
      const found: ArchiveLine[] = [];
      let last = after;
      for (const { segment, ...span } of piecesOf(this.#segments)) {
        if (span.last <= last) continue;
        for (const line of await this.#linesOf(segment)) {
          if (line.ordinal <= last || line.ordinal < span.first || line.ordinal > span.last) continue;
          if (found.length >= limit) return found;
          found.push(line);
          last = line.ordinal;
        }
      }
      return found;
    });
  }

  async close(): Promise<void> {
    await this.#run('close', async () => {
      const current = this.#current;
      this.#current = undefined;
      await current?.file.close();
    });
  }

  #seriesFor(ordinal: number, turn: ArchiveTurn | undefined): Series {
    const newest = this.#newest;
    if (turn === undefined) {
      assert(newest !== undefined, 'the first lines of an archive say of which log they are');
      return newest;
    }
    const cut = turn.kind === 'branch' ? ordinal : 0;
    return { number: (newest?.number ?? 0) + 1, cut, logId: turn.logId };
  }

  /** The file that the next line goes to; a new one where that does not follow, or enough is in this one. */
  async #ready(series: Series, ordinal: number): Promise<Current> {
    const current = this.#current;
    if (
      current !== undefined &&
      current.segment.series.number === series.number &&
      this.#takes(current.segment, ordinal)
    )
      return current;
    await this.#letGo();
    for (const segment of this.#segments.filter(({ isSealed }) => !isSealed)) await this.#seal(segment);
    await this.#prune();
    const name = nameOf({ series, first: ordinal });
    const file = await this.#fileSystem.open(this.#pathOf(name), 'create');
    try {
      await writeFully(file, Buffer.from(segmentHead), 0);
      await this.#fileSystem.syncDirectory(this.#options.directory);
    } catch (error) {
      await file.close();
      throw error;
    }
    const made = { name, series, spans: [], bytes: segmentHead.length, isSealed: false };
    this.#replace(undefined, [made]);
    this.#current = { file, segment: made };
    return this.#current;
  }

  #takes({ spans, bytes }: Segment, ordinal: number): boolean {
    const [first, last] = [spans[0]?.first ?? ordinal, spans.at(-1)?.last ?? ordinal - 1];
    const linesMax = this.#options.segmentLinesMax ?? segmentLinesMax;
    return last === ordinal - 1 && ordinal - first < linesMax && bytes < segmentBytesMax;
  }

  /** Ends writing to the present file. What is in it is what the disk says. */
  async #letGo(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    current.file.dropCache();
    await current.file.close();
    this.#replace(current.segment, await this.#look(current.segment.name));
  }

  /** The good lines of a file become complete ones, one for each stretch; the first comes last, and says that all are there. */
  async #seal(segment: Segment): Promise<void> {
    const { lines } = decodeLines(await this.#bytesOf(segment.name));
    const made: Segment[] = [];
    for (const { first, last } of spansOf(lines.map(({ ordinal }) => ordinal)).toReversed()) {
      const name = nameOf({ series: segment.series, first, last });
      const own = lines.filter(({ ordinal }) => ordinal >= first && ordinal <= last);
      const bytes = await pack(Buffer.concat([Buffer.from(segmentHead), ...own.map(encodeLine)]));
      await putWhole(this.#fileSystem, this.#options.directory, name, bytes);
      made.push({
        name,
        series: segment.series,
        spans: [{ first, last }],
        bytes: bytes.length,
        isSealed: true,
      });
    }
    await this.#fileSystem.remove(this.#pathOf(segment.name));
    this.#replace(segment, made);
  }

  async #prune(): Promise<void> {
    for (;;) {
      const bytes = this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
      const oldest = bytes > this.#options.bytesMax ? oldestOf(this.#segments) : undefined;
      if (oldest === undefined) return;
      await this.#fileSystem.remove(this.#pathOf(oldest.name));
      this.#replace(oldest, []);
    }
  }

  /** A file as it lies there; none where its name is not the archive's. */
  async #look(name: string): Promise<readonly Segment[]> {
    const parsed = parseName(name);
    if (parsed === undefined) return [];
    const { series, first, last } = parsed;
    if (last !== undefined) {
      const bytes = await this.#sizeOf(name);
      return [{ name, series, spans: [{ first, last }], bytes, isSealed: true }];
    }
    const bytes = await this.#bytesOf(name);
    const { lines, isDamaged } = decodeLines(bytes);
    const spans = spansOf(lines.map(({ ordinal }) => ordinal));
    if (isDamaged) this.#tell(name, spans);
    return [{ name, series, spans, bytes: bytes.length, isSealed: false }];
  }

  /** The lines of a file that are good; where some are missing the file has less from now on. */
  async #linesOf(segment: Segment): Promise<readonly ArchiveLine[]> {
    if (this.#cached?.name === segment.name) return this.#cached.lines;
    if (!segment.isSealed) return decodeLines(await this.#bytesOf(segment.name)).lines;
    const { lines } = await unpacked(await this.#bytesOf(segment.name));
    this.#cached = { name: segment.name, lines };
    const spans = spansOf(lines.map(({ ordinal }) => ordinal));
    const [whole] = segment.spans;
    if (spans.length !== 1 || spans[0]?.first !== whole?.first || spans[0]?.last !== whole?.last) {
      this.#tell(segment.name, spans);
      this.#replace(segment, [{ ...segment, spans }]);
    }
    return lines;
  }

  #tell(name: string, spans: readonly ArchiveSpan[]): void {
    const good = spans
      .map(({ first, last }) => (first === last ? `${first}` : `${first} to ${last}`))
      .join(', ');
    this.#damage.push(
      `${this.#pathOf(name)} is damaged; what can be read of it: ${good === '' ? 'nothing' : good}`,
    );
  }

  #replace(before: Segment | undefined, after: readonly Segment[]): void {
    this.#setSegments([...this.#segments.filter(({ name }) => name !== before?.name), ...after]);
  }

  #setSegments(segments: readonly Segment[]): void {
    this.#segments = segments;
    const spans = mergedSpans(piecesOf(segments));
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    this.#account = { spans, bytes, damage: [...this.#damage] };
  }

  #pathOf(name: string): string {
    return `${this.#options.directory}/${name}`;
  }

  async #sizeOf(name: string): Promise<number> {
    return await this.#reading(name, (file) => file.size());
  }

  async #bytesOf(name: string): Promise<Buffer> {
    return await this.#reading(name, async (file) => {
      const bytes = Buffer.alloc(await file.size());
      return bytes.subarray(0, await file.read(bytes, 0));
    });
  }

  async #reading<T>(name: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
    const file = await this.#fileSystem.open(this.#pathOf(name), 'read');
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  }

  async #run<T>(doing: string, work: () => Promise<T>): Promise<T> {
    return await this.#serial.run(async () => {
      try {
        return await work();
      } catch (error) {
        if (!isSystemError(error) && !isWeftError(error)) throw error;
        const reason = error.message;
        throw new WeftError(
          'archive-failed',
          `Cannot ${doing} the archive in ${this.#options.directory}: ${reason}; look at the disk`,
          { cause: error },
        );
      }
    });
  }
}

/** Whether a file that was being written has become a complete one already. */
function isCopied(name: string, names: readonly string[]): boolean {
  const parsed = parseName(name);
  if (parsed === undefined || parsed.last !== undefined) return false;
  const begin = name.slice(0, -'.open'.length);
  return names.some((other) => other.startsWith(`${begin}-`) && other.endsWith('.gz'));
}

async function unpacked(bytes: Buffer): Promise<ReadLines> {
  try {
    return decodeLines(await unpack(bytes, { maxOutputLength: expandedBytesMax }));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') === true || code === 'ERR_BUFFER_TOO_LARGE')
      return { lines: [], end: 0, isDamaged: true };
    throw error;
  }
}
