/**
 * What trimming does to the files, under the directory's lock: first the floor is made durable, then the segments that lie
 * wholly behind it are removed. Whoever dies in between has trimmed the log, and leaves files that the next trim or opening
 * removes.
 */
import { WeftError } from '../../core/errors.ts';
import type { Position } from '../../core/log/event-log.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { mismatchError, trimmedError } from './errors.ts';
import type { FileSystem } from './file-system.ts';
import type { Head } from './head.ts';
import type { History } from './history.ts';
import { type Place, placeOf } from './position.ts';
import { listSegments, segmentPath } from './segment.ts';

/** @throws WeftError `log-mismatch` where the text is no position of this kind of log */
export function requirePlace(directory: string, position: Position): Place {
  const place = placeOf(position);
  if (place !== undefined) return place;
  throw mismatchError(directory, `'${position}' is no position of a file log`);
}

/**
 * Sees that a place is in the log, or the last that was trimmed.
 *
 * @throws WeftError `log-trimmed`, `log-ahead`, `log-mismatch`
 */
export function requireKnown(history: History, directory: string, place: Place): void {
  const { sequence, checksum } = place;
  if (sequence < history.floor.sequence) throw trimmedError(directory);
  if (sequence > history.sequence) {
    throw new WeftError(
      'log-ahead',
      `Entry ${sequence} lies beyond the end of the log in ${directory}, which has ${history.sequence} entries: ` +
        'the directory has lost entries or is another one',
    );
  }
  if (history.placeOf(sequence).checksum === checksum) return;
  throw mismatchError(
    directory,
    `its entry ${sequence} is not the one with checksum ${checksum.toString(16)}`,
  );
}

/**
 * Sees that the floor has not gone down since this process knew it. It is durable before anybody is told of it, so within
 * the life of a process only a copy that was put back has a lower one. Then what this process knows of the log is about
 * another one, and must not be taken for the truth behind an old head.
 *
 * @param known before `found` was read
 * @throws WeftError `log-mismatch`
 */
export function requireNotLowered(directory: string, known: Place, found: Place | undefined): void {
  const sequence = found?.sequence ?? 0;
  if (sequence > known.sequence || known.sequence === 0) return;
  if (sequence === known.sequence && found?.checksum === known.checksum) return;
  const now = sequence === known.sequence ? 'another one of that number' : `entry ${sequence}`;
  throw mismatchError(directory, `it was trimmed up to entry ${known.sequence}, and now only up to ${now}`);
}

/**
 * Whether a head is older than the floor: written before the power failed, or read before somebody trimmed. What it says is
 * of no use then: it may name a segment that was removed, or one that lies wholly behind the floor while the next has been
 * begun by somebody who could not say so in the head.
 */
export async function isOutdated(
  fileSystem: FileSystem,
  directory: string,
  head: Head,
  floor: Place,
): Promise<boolean> {
  if (floor.sequence === 0 || head.sequence > floor.sequence) return false;
  if (head.sequence < floor.sequence) return true;
  if (head.segment > floor.sequence) return false;
  const exists = async (first: number): Promise<boolean> =>
    (await fileSystem.identityOf(segmentPath(directory, first))) !== undefined;
  return (await exists(floor.sequence + 1)) || !(await exists(head.segment));
}

/** Removes the segments wholly behind a floor that is durable. What fails is left for the next time. */
export async function removeTrimmed(
  fileSystem: FileSystem,
  directory: string,
  floor: Place,
  logger: Logger,
): Promise<void> {
  if (floor.sequence === 0) return;
  try {
    const all = await listSegments(fileSystem, directory);
    const firstKept = all.findLast((first) => first <= floor.sequence + 1) ?? 0;
    for (const first of all) if (first < firstKept) await fileSystem.remove(segmentPath(directory, first));
  } catch (error) {
    logger.warn('a segment that was trimmed could not be removed; the next trim tries again', {
      directory,
      error,
    });
  }
}
