/** flock(2) and posix_fadvise(2), which Node has no call for. */
import koffi from 'koffi';

/** <sys/file.h> */
const lockExclusive = 2;
const lockNonBlocking = 4;
const lockUnlock = 8;
/** <fcntl.h> */
const adviceDontNeed = 4;

const library = koffi.load('libc.so.6');
const flock = library.func('int flock(int fd, int operation)') as (fd: number, operation: number) => number;
const fadvise = library.func('int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)') as (
  fd: number,
  offset: number,
  length: number,
  advice: number,
) => number;

/**
 * Takes an exclusive lock on an open file, or not, without waiting. The lock belongs to the open file description: it
 * ends when that is closed, at the latest when the process dies.
 *
 * @throws Error with `code` where the file system has no locks
 */
export function tryLockExclusive(fd: number): boolean {
  for (;;) {
    if (flock(fd, lockExclusive | lockNonBlocking) === 0) return true;
    const errno = koffi.errno();
    if (errno === koffi.os.errno['EAGAIN']) return false;
    if (errno !== koffi.os.errno['EINTR']) throw systemError('flock', errno);
  }
}

export function unlock(fd: number): void {
  if (flock(fd, lockUnlock) !== 0) throw systemError('flock', koffi.errno());
}

/** Advice only: pages that are dirty or mapped stay. */
export function dropCachedPages(fd: number): void {
  fadvise(fd, 0, 0, adviceDontNeed);
}

function systemError(call: string, errno: number): Error {
  const code = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
  return Object.assign(new Error(`${code}: ${call}`), { code, errno, syscall: call });
}
