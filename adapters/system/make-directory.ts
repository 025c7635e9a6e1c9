/**
 * A directory with all that is missing above it, one level at a time. Node's own `mkdir` with `recursive` never ends where a
 * file system answers ENOENT although the parent is there, as /proc does, and keeps one of the few threads that files have.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * @param mode of each that is made, before the umask
 * @returns the highest directory that was made; undefined where the whole path was there
 * @throws NodeJS.ErrnoException
 */
export async function makeDirectory(path: string, mode = 0o777): Promise<string | undefined> {
  const made = await makeOne(path, mode);
  if (made !== 'no-parent') return made === 'made' ? path : undefined;
  const highest = await makeDirectory(dirname(path), mode);
  await mkdir(path, { mode }).catch((error: unknown) => requireThere(path, error));
  return highest ?? path;
}

async function makeOne(path: string, mode: number): Promise<'made' | 'there' | 'no-parent'> {
  try {
    await mkdir(path, { mode });
    return 'made';
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && dirname(path) !== path) return 'no-parent';
    await requireThere(path, error);
    return 'there';
  }
}

/** Somebody else may have been faster. */
async function requireThere(path: string, error: unknown): Promise<void> {
  if (codeOf(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
