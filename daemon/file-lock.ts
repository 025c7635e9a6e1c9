/**
 * Locks between processes: flock(2) on a file that stays. The kernel releases it with the process, however that ends,
 * so there is never a stale one to judge. Node has no call for it, hence libc.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { constants } from 'node:os';
import koffi from 'koffi';
import { WeftError } from '../core/errors.ts';

/** sys/file.h: exclusive, and answer instead of waiting. */
const lockExclusive = 2;
const lockNonBlocking = 4;
const lockFileMode = 0o600;

const flock = koffi.load('libc.so.6').func('int flock(int fd, int operation)') as (
  fd: number,
  operation: number,
) => number;

export class FileLock {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /**
   * Takes the lock or refuses at once. The file says who holds it, for people.
   *
   * @param refusal the message when another process holds it
   * @throws WeftError `already-running`; errors of the file system as they are
   */
  static async take(path: string, refusal: string): Promise<FileLock> {
    const file = await open(path, 'a+', lockFileMode);
    try {
      lockNow(file.fd, refusal);
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

function lockNow(fd: number, refusal: string): void {
  if (flock(fd, lockExclusive | lockNonBlocking) === 0) return;
  const errno = koffi.errno();
  if (errno === constants.errno.EWOULDBLOCK) throw new WeftError('already-running', refusal);
  throw new Error(`flock failed with errno ${errno}`);
}
