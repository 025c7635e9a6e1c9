/**
 * Locks between processes: flock(2) on a file. The kernel releases it with the process, however that ends, so there is
 * never a stale one to judge; a file that a killed process left is merely taken over.
 */
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { tryLockExclusive } from '../adapters/file/flock.ts';
import { WeftError } from '../core/errors.ts';

const lockFileMode = 0o600;

export class FileLock {
  readonly #path: string;
  #file: FileHandle | undefined;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Takes the lock or refuses at once. The file says who holds it, for people.
   *
   * @param refusal the message when another process, or another part of this one, holds it
   * @throws WeftError `already-running`; errors of the file system as they are
   */
  static async take(path: string, refusal: string): Promise<FileLock> {
    for (;;) {
      const file = await open(path, 'a+', lockFileMode);
      try {
        if (!tryLockExclusive(file.fd)) throw new WeftError('already-running', refusal);
        if (await isAt(path, file)) {
          await file.truncate();
          await file.write(`${process.pid}\n`);
          return new FileLock(path, file);
        }
      } catch (error) {
        await file.close();
        throw error;
      }
      // Between our opening and locking it, its holder removed it: ours is a lock on a file that nobody else finds.
      await file.close();
    }
  }

  /** Removes the file while it is still locked, so that nobody removes another's. Idempotent. */
  async release(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    try {
      await rm(this.#path, { force: true });
    } finally {
      await file.close();
    }
  }
}

async function isAt(path: string, file: FileHandle): Promise<boolean> {
  const ours = await file.stat({ bigint: true });
  const found = await stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return found?.ino === ours.ino && found.dev === ours.dev;
}
