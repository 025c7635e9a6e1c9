/**
 * The daemon's own directory: the identity by which the cluster tells a restart of this host from another machine of
 * the same name, and the lock that keeps a second daemon out.
 */
import { chmod, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../adapters/system/make-directory.ts';
import { isWeftError, WeftError } from '../core/errors.ts';
import { isRandomId } from '../core/model/ids.ts';
import type { Random } from '../core/ports/random.ts';
import { FileLock } from './file-lock.ts';

const directoryMode = 0o700;
const fileMode = 0o600;
const identityBytes = 16;

export class DataDirectory {
  readonly #lock: FileLock;
  /** 32 hexadecimal digits, made once. */
  readonly identity: string;

  private constructor(lock: FileLock, identity: string) {
    this.#lock = lock;
    this.identity = identity;
  }

  /**
   * Opens the directory, making it when it is not there, and keeps others out until `close`.
   *
   * @throws WeftError `already-running`, `permission-denied`, `bad-configuration` (it cannot be used, or its identity
   *   file is damaged)
   */
  static async open(path: string, random: Random): Promise<DataDirectory> {
    try {
      const made = await makeDirectory(path, directoryMode);
      if (made !== undefined) await chmod(path, directoryMode);
      const refusal = `Another daemon uses the data directory ${path}: stop it or choose another --data-dir`;
      const lock = await FileLock.take(join(path, 'lock'), refusal);
      try {
        return new DataDirectory(lock, await identityIn(path, random));
      } catch (error) {
        await lock.release();
        throw error;
      }
    } catch (error) {
      throw isWeftError(error) ? error : explained(path, error);
    }
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }
}

async function identityIn(directory: string, random: Random): Promise<string> {
  const path = join(directory, 'identity');
  const found = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return makeIdentity(directory, path, random.hex(identityBytes));
  const identity = found.trim();
  if (isRandomId(identity)) return identity;
  const message =
    `The identity file ${path} is damaged: restore it, or remove it and then remove this host from the cluster ` +
    "with 'weft host rm' so that it joins anew";
  throw new WeftError('bad-configuration', message);
}

/** Whole or not at all, also across a power cut: written aside, synced, renamed, and the directory synced. */
async function makeIdentity(directory: string, path: string, identity: string): Promise<string> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', fileMode);
  try {
    await file.writeFile(`${identity}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const parent = await open(directory, 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
  return identity;
}

function explained(path: string, error: unknown): WeftError {
  const { code, message: reason } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') {
    const message = `Cannot use the data directory ${path}: permission denied: run as root or choose another --data-dir`;
    return new WeftError('permission-denied', message, { cause: error });
  }
  const message = `Cannot use the data directory ${path}: ${reason}: choose another --data-dir`;
  return new WeftError('bad-configuration', message, { cause: error });
}
