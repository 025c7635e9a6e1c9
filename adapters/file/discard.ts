/**
 * Removing a log from its directory, under the directory's lock. Whoever reads it meanwhile finds no head, and waits for the
 * lock to learn more; the segments go from the last one to the first, which has the log's identity too, so that what a crash
 * leaves can be discarded once more. Other files stay.
 */
import { isRandomId } from '../../core/model/ids.ts';
import { isSystemError } from './errors.ts';
import type { FileSystem } from './file-system.ts';
import { listSegments, segmentPath } from './segment.ts';
import { namesIn } from './whole-file.ts';

/** @throws system errors */
export async function removeLog(fileSystem: FileSystem, directory: string): Promise<void> {
  await removeFile(fileSystem, `${directory}/head`);
  await fileSystem.syncDirectory(directory);
  const snapshots = `${directory}/snapshots`;
  for (const id of await namesIn(fileSystem, snapshots)) {
    if (isRandomId(id)) await removeFolder(fileSystem, `${snapshots}/${id}`);
  }
  await removeFolder(fileSystem, snapshots);
  await removeFolder(fileSystem, `${directory}/beats`);
  const [oldest, ...later] = (await listSegments(fileSystem, directory)).map((first) =>
    segmentPath(directory, first),
  );
  const paths = [...later.toReversed(), `${directory}/floor`, ...(oldest === undefined ? [] : [oldest])];
  for (const path of paths) {
    await removeFile(fileSystem, path);
    // In this order also after a power failure.
    await fileSystem.syncDirectory(directory);
  }
}

async function removeFile(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.remove(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EISDIR')) throw error;
  }
}

/** With the files in it. A folder in it is not ours, and keeps it. */
async function removeFolder(fileSystem: FileSystem, path: string): Promise<void> {
  for (const name of await namesIn(fileSystem, path)) await removeFile(fileSystem, `${path}/${name}`);
  try {
    await fileSystem.removeDirectory(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTEMPTY')) throw error;
  }
}
