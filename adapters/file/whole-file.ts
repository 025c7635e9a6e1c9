/** Files that are there whole or not at all: written beside, synced, and renamed into their place. */
import { isSystemError, repeatError, storeError } from './errors.ts';
import type { FileSystem } from './file-system.ts';
import { writeFully } from './segment.ts';

/**
 * Puts a file in place of any of its name. Concurrent calls for one name are the caller's to prevent.
 *
 * @param durability `unsynced`: after a power failure it may be gone, or be there without its bytes
 * @throws WeftError `store-full`, `permission-denied`, `store-unreachable`: nothing happened; `outcome-unknown`: it is there
 *   or not, now or after a power failure; repeat it
 */
export async function putWhole(
  fileSystem: FileSystem,
  directory: string,
  name: string,
  bytes: Uint8Array,
  durability: 'synced' | 'unsynced' = 'synced',
): Promise<void> {
  const path = `${directory}/${name}`;
  const draftPath = `${path}.tmp`;
  try {
    const file = await fileSystem.open(draftPath, 'create');
    try {
      await writeFully(file, bytes, 0);
      if (durability === 'synced') await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw storeError(error, `write ${path}`);
  }
  try {
    await fileSystem.rename(draftPath, path);
    if (durability === 'synced') await fileSystem.syncDirectory(directory);
  } catch (error) {
    throw repeatError(`write ${path}`, error);
  }
}

/** What a file holds; undefined where there is none. @throws system errors */
export async function readWhole(fileSystem: FileSystem, path: string): Promise<Uint8Array | undefined> {
  try {
    const file = await fileSystem.open(path, 'read');
    try {
      const bytes = Buffer.alloc(await file.size());
      return Uint8Array.from(bytes.subarray(0, await file.read(bytes, 0)));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Nothing where there is no such directory. @throws system errors */
export async function namesIn(fileSystem: FileSystem, path: string): Promise<readonly string[]> {
  try {
    return await fileSystem.list(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}
