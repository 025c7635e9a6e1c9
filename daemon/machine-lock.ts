/** Keeps two daemons of one machine from using one prefix of namespace names: they would undo each other's work. */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../adapters/system/make-directory.ts';
import { isWeftError, WeftError } from '../core/errors.ts';
import { quote } from '../core/lib/quote.ts';
import { FileLock } from './file-lock.ts';

const directoryMode = 0o755;

/** @throws WeftError `already-running`, `permission-denied`, `bad-configuration` */
export async function lockNetnsPrefix(directory: string, prefix: string): Promise<FileLock> {
  const path = join(directory, `netns-${prefix}.lock`);
  try {
    const made = await makeDirectory(directory);
    if (made !== undefined) await chmod(directory, directoryMode);
    const refusal =
      `Another daemon on this machine uses the namespace prefix ${quote(prefix)}: ` +
      'stop it or choose another --netns-prefix';
    return await FileLock.take(path, refusal);
  } catch (error) {
    if (isWeftError(error)) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new WeftError('permission-denied', `Cannot lock ${path}: permission denied: run as root`, {
        cause: error,
      });
    }
    throw new WeftError('bad-configuration', `Cannot lock ${path}: ${message}`, { cause: error });
  }
}
