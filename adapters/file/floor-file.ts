/** Reading and writing the `floor` file, in whatever directory is now under its path. */
import { damagedError, isSystemError } from './errors.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import { type Floor, floorBytesMax, formatFloor, parseFloor } from './floor.ts';
import { putWhole } from './whole-file.ts';

const name = 'floor';

export class FloorFile {
  readonly path: string;
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  /** Held open, so that no later file can have its identity: one that has it is the one that was read. */
  #read: { readonly file: OpenFile; readonly floor: Floor } | undefined;

  constructor(fileSystem: FileSystem, directory: string) {
    this.path = `${directory}/${name}`;
    this.#fileSystem = fileSystem;
    this.#directory = directory;
  }

  /** What stands in the file that is under the path now; undefined where nothing was ever trimmed. @throws WeftError `log-damaged`; system errors */
  async read(): Promise<Floor | undefined> {
    for (;;) {
      const identity = await this.#fileSystem.identityOf(this.path);
      if (identity !== undefined && identity === this.#read?.file.identity) return this.#read.floor;
      await this.close();
      if (identity === undefined) return undefined;
      await this.#reopen();
    }
  }

  /** Under the directory's lock only. @throws WeftError as `putWhole` */
  async write(floor: Floor): Promise<void> {
    await putWhole(this.#fileSystem, this.#directory, name, Buffer.from(formatFloor(floor)));
  }

  async close(): Promise<void> {
    const read = this.#read;
    this.#read = undefined;
    await read?.file.close();
  }

  /** Reads nothing where the file is gone again. */
  async #reopen(): Promise<void> {
    let file: OpenFile;
    try {
      file = await this.#fileSystem.open(this.path, 'read');
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return;
      throw error;
    }
    try {
      const bytes = Buffer.alloc(floorBytesMax);
      const floor = parseFloor(bytes.subarray(0, await file.read(bytes, 0)));
      if (floor === undefined)
        throw damagedError(this.path, 0, 'it does not say up to where the log was trimmed');
      this.#read = { file, floor };
    } catch (error) {
      await file.close();
      throw error;
    }
  }
}
