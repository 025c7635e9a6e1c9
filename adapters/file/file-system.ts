/**
 * The seam between the file log and the machine: every system call that it makes, and nothing else. The real side is
 * `node-file-system.ts`; tests put a simulated disk here that loses what was not synced, fills up, and fails at will.
 *
 * Methods reject with the system's own errors (`code` ENOSPC, EIO, ENOENT…); the log makes sense of them.
 */

/**
 * - `read`: an existing file, to read;
 * - `write`: an existing file, to read and write;
 * - `create`: a file to read and write, emptied if it exists, made if it does not;
 * - `keep`: a file to read and write, made if it does not exist and left as it is if it does.
 */
export type OpenMode = 'read' | 'write' | 'create' | 'keep';

export interface FileSystem {
  /** Makes a directory and those above it that are missing, durably, for the owner alone. Does nothing if it exists. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a directory, in no order. */
  list(path: string): Promise<readonly string[]>;
  /** New files are for the owner alone. */
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /** Replaces `to` in one step if it exists. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file's name; who has it open goes on with it. Durable with the directory's next sync. */
  remove(path: string): Promise<void>;
  /** Removes a directory that is empty. */
  removeDirectory(path: string): Promise<void>;
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** What tells the file under a path from any other, also from a later one under the same path; undefined if none is. */
  identityOf(path: string): Promise<string | undefined>;
  /** The kind of file system that holds a path: the magic number of statfs(2). */
  typeOf(path: string): Promise<number>;
  /**
   * Calls back after a file has changed; may be late or call too often. `isGone`: there will be no more calls, because
   * the file was removed or cannot be watched any longer.
   *
   * @throws system errors when it cannot watch
   */
  watch(path: string, onChange: (isGone: boolean) => void): Watch;
}

export interface Watch {
  close(): void;
}

export interface OpenFile {
  /** As `FileSystem.identityOf`. */
  readonly identity: string;
  /** Bytes read; fewer than asked for at the end of the file only. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Bytes written, which may be fewer than asked for (POSIX write(2)). */
  write(from: Uint8Array, position: number): Promise<number>;
  size(): Promise<number>;
  truncate(size: number): Promise<void>;
  /** Makes contents and size durable: fdatasync(2). After a rejection nobody knows what is on the disk. */
  sync(): Promise<void>;
  /** Asks the kernel to forget what it holds of the file in memory, so that it is read from the disk again. */
  dropCache(): void;
  /**
   * Takes an exclusive lock that ends with this open file, so also with the process. False when another open file has
   * it. Never waits.
   */
  tryLock(): boolean;
  unlock(): void;
  /** Idempotent. */
  close(): Promise<void>;
}
