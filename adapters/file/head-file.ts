/** Reading and writing the `head` file, in whatever directory is now under its path. */
import type { Clock } from '../../core/ports/clock.ts';
import type { FileLogBounds } from './defaults.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import { formatHead, type Head, headBytes, parseHead } from './head.ts';
import { writeFully } from './segment.ts';

/** A pause in which a writer ends what it is in the middle of, milliseconds. */
const tornPauseMs = 1;

export class HeadFile {
  readonly path: string;
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #bounds: FileLogBounds;
  #file: OpenFile | undefined;

  constructor(fileSystem: FileSystem, directory: string, clock: Clock, bounds: FileLogBounds) {
    this.path = `${directory}/head`;
    this.#fileSystem = fileSystem;
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /** What stands in the file that is under the path now. `unreadable` when it is no head and does not become one. */
  async read(): Promise<Head | 'missing' | 'unreadable'> {
    for (let count = 1; ; count++) {
      const bytes = await this.#readBytes();
      if (bytes === undefined) return 'missing';
      const head = parseHead(bytes);
      if (head !== undefined) return head;
      if (count >= this.#bounds.headReadTries) return 'unreadable';
      await this.#clock.sleep(tornPauseMs);
    }
  }

  /** Under the directory's lock only, after a `read` under the same lock. */
  async write(head: Head): Promise<void> {
    if (this.#file === undefined) await this.#reopen('keep');
    if (this.#file !== undefined) await writeFully(this.#file, Buffer.from(formatHead(head)), 0);
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #readBytes(): Promise<Uint8Array | undefined> {
    const bytes = Buffer.alloc(headBytes);
    const [identity, early] = await Promise.all([
      this.#fileSystem.identityOf(this.path),
      this.#file?.read(bytes, 0),
    ]);
    if (identity === undefined) {
      await this.close();
      return undefined;
    }
    if (early !== undefined && this.#file?.identity === identity) return bytes.subarray(0, early);
    await this.#reopen('write');
    return bytes.subarray(0, await this.#file?.read(bytes, 0));
  }

  async #reopen(mode: 'write' | 'keep'): Promise<void> {
    await this.close();
    this.#file = await this.#fileSystem.open(this.path, mode);
  }
}
