/** Files that are there whole or not at all: written beside, synced, and renamed into their place. */
import { repeatError, storeError } from './errors.ts';
import type { FileSystem } from './file-system.ts';
import { writeFully } from './segment.ts';

/**
 * Puts a file durably in place of any of its name. Concurrent calls for one name are the caller's to prevent.
 *
 * @throws WeftError `store-full`, `permission-denied`, `store-unreachable`: nothing happened; `outcome-unknown`: it is there
 *   or not, now or after a power failure; repeat it
 */
export async function putWhole(
  fileSystem: FileSystem,
  directory: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const path = `${directory}/${name}`;
  const draftPath = `${path}.tmp`;
  try {
    const file = await fileSystem.open(draftPath, 'create');
    try {
      await writeFully(file, bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw storeError(error, `write ${path}`);
  }
  try {
    await fileSystem.rename(draftPath, path);
    await fileSystem.syncDirectory(directory);
  } catch (error) {
    throw repeatError(`write ${path}`, error);
  }
}
