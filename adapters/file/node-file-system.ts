/** The machine's file system. */
import { type FSWatcher, type Stats, watch } from 'node:fs';
import {
  constants,
  type FileHandle,
  open,
  readdir,
  rename,
  rmdir,
  stat,
  statfs,
  unlink,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from '../system/make-directory.ts';
import { isSystemError } from './errors.ts';
import type { FileSystem, OpenFile, OpenMode, Watch } from './file-system.ts';
import { dropCachedPages, tryLockExclusive, unlock } from './flock.ts';

const fileMode = 0o600;
const directoryMode = 0o700;

const openFlags: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
  keep: constants.O_RDWR | constants.O_CREAT,
};

export const nodeFileSystem: FileSystem = {
  async makeDirectory(path) {
    const highest = await makeDirectory(path, directoryMode);
    if (highest === undefined) return;
    let made = path;
    await nodeFileSystem.syncDirectory(dirname(made));
    while (made.length > highest.length) {
      made = dirname(made);
      await nodeFileSystem.syncDirectory(dirname(made));
    }
  },

  list: async (path) => await readdir(path),

  async open(path, mode) {
    const handle = await open(path, openFlags[mode], fileMode);
    try {
      return new NodeOpenFile(handle, identityOf(await handle.stat()));
    } catch (error) {
      await handle.close();
      throw error;
    }
  },

  rename: async (from, to) => await rename(from, to),

  remove: async (path) => await unlink(path),

  removeDirectory: async (path) => await rmdir(path),

  async syncDirectory(path) {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },

  async identityOf(path) {
    try {
      return identityOf(await stat(path));
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
  },

  typeOf: async (path) => (await statfs(path)).type,

  watch: (path, onChange) => new NodeWatch(watch(path, { persistent: false }), onChange),
};

class NodeOpenFile implements OpenFile {
  readonly identity: string;
  readonly #handle: FileHandle;
  #closing: Promise<void> | undefined;

  constructor(handle: FileHandle, identity: string) {
    this.#handle = handle;
    this.identity = identity;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await this.#handle.read(into, done, into.length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async write(from: Uint8Array, position: number): Promise<number> {
    return (await this.#handle.write(from, 0, from.length, position)).bytesWritten;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async truncate(size: number): Promise<void> {
    await this.#handle.truncate(size);
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  dropCache(): void {
    dropCachedPages(this.#handle.fd);
  }

  tryLock(): boolean {
    return tryLockExclusive(this.#handle.fd);
  }

  unlock(): void {
    unlock(this.#handle.fd);
  }

  async close(): Promise<void> {
    this.#closing ??= this.#handle.close();
    await this.#closing;
  }
}

class NodeWatch implements Watch {
  readonly #watcher: FSWatcher;

  constructor(watcher: FSWatcher, onChange: (isGone: boolean) => void) {
    this.#watcher = watcher;
    watcher.on('change', (event) => onChange(event === 'rename'));
    watcher.on('error', () => onChange(true));
  }

  close(): void {
    this.#watcher.close();
  }
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}
