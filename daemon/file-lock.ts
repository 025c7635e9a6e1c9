/**
 * Locks between processes: flock(2) on a file that stays. The kernel releases it with the process, however that ends,
 * so there is never a stale one to judge.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { tryLockExclusive } from '../adapters/file/flock.ts';
import { WeftError } from '../core/errors.ts';

const lockFileMode = 0o600;

export class FileLock {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /**
   * Takes the lock or refuses at once. The file says who holds it, for people.
   *
   * @param refusal the message when another process, or another part of this one, holds it
   * @throws WeftError `already-running`; errors of the file system as they are
   */
  static async take(path: string, refusal: string): Promise<FileLock> {
    const file = await open(path, 'a+', lockFileMode);
    try {
      if (!tryLockExclusive(file.fd)) throw new WeftError('already-running', refusal);
      await file.truncate();
      await file.write(`${process.pid}\n`);
      return new FileLock(file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Idempotent. The file stays: removing it could give two processes two files of one name. */
  async release(): Promise<void> {
    await this.#file.close();
  }
}
