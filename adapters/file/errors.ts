/** System errors and faults of the log's files as weft's errors: what, why, what to do. */
import { isWeftError, WeftError } from '../../core/errors.ts';

/**
 * What a failed system call means where it is certain that nothing was written by it.
 *
 * @param doing for the message: `append to /var/lib/weft/log`
 */
export function storeError(error: unknown, doing: string): WeftError {
  if (isWeftError(error)) return error;
  if (!isSystemError(error))
    return new WeftError('internal', `Cannot ${doing}: ${String(error)}`, { cause: error });
  const reason = error.message;
  if (isSystemError(error, 'ENOSPC', 'EDQUOT', 'EFBIG')) {
    return new WeftError(
      'store-full',
      `Cannot ${doing}: ${reason}; nothing was written: make room and try again`,
      {
        cause: error,
      },
    );
  }
  if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) {
    return new WeftError(
      'permission-denied',
      `Cannot ${doing}: ${reason}; run the daemon as the directory's owner`,
      {
        cause: error,
      },
    );
  }
  return new WeftError('store-unreachable', `Cannot ${doing}: ${reason}; look at the disk and the mount`, {
    cause: error,
  });
}

/** Damage before the durable end: nothing is repaired, nothing is cut off. */
export function damagedError(file: string, offset: number, why: string): WeftError {
  return new WeftError(
    'log-damaged',
    `${file} is damaged at byte ${offset}: ${why}; nothing was changed: keep a copy of the directory, look at the disk, ` +
      'and restore the directory from a backup',
    { details: { file, offset } },
  );
}

export function mismatchError(directory: string, why: string): WeftError {
  return new WeftError(
    'log-mismatch',
    `${directory} holds another log than the one that this host follows: ${why}; find out who replaced it, and nothing ` +
      'is changed until then',
  );
}

export function missingError(directory: string): WeftError {
  return new WeftError(
    'store-unreachable',
    `The log in ${directory} is gone: it was removed or its file system is not mounted; put it back`,
  );
}

export function closedError(directory: string): WeftError {
  return new WeftError('closed', `The log in ${directory} is closed: open another one`);
}

/** The caller's own doing: says nothing about the store. */
export function notSentError(directory: string, why: string): WeftError {
  return new WeftError('store-unreachable', `Nothing was asked of ${directory}: ${why}; try again`, {
    details: { cancelled: true },
  });
}

export function unknownError(directory: string, why: string, cause?: unknown): WeftError {
  return new WeftError(
    'outcome-unknown',
    `An entry may or may not come to be in ${directory}: ${why}; ask for its position`,
    cause === undefined ? {} : { cause },
  );
}

/** Of a question that only the end of the log could answer. */
export function undecidedError(directory: string, cause: Error): WeftError {
  return new WeftError(
    'store-unreachable',
    `The end of the log in ${directory} cannot be brought into order: ${cause.message}`,
    { cause },
  );
}

/** A write that may be repeated until it is known to be done. @param doing for the message: `write /var/lib/weft/log/floor` */
export function repeatError(doing: string, cause?: unknown): WeftError {
  const reason = cause instanceof Error ? cause.message : 'its author did not wait for the disk';
  return new WeftError(
    'outcome-unknown',
    `Cannot tell what came of the attempt to ${doing}: ${reason}; repeat it`,
    cause === undefined ? {} : { cause },
  );
}

export function trimmedError(directory: string): WeftError {
  return new WeftError(
    'log-trimmed',
    `What follows that position has been trimmed from ${directory}: begin again from a snapshot`,
  );
}

/** True for an error of a system call, of one of the codes where any are given. */
export function isSystemError(
  error: unknown,
  ...codes: string[]
): error is Error & { readonly code: string } {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return codes.length === 0 || codes.includes(error.code);
}
