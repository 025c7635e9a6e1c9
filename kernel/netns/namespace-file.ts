/**
 * Files that are network namespaces: bind mounts of nsfs (`ip netns`, container runtimes) and `/proc/PID/ns/net`.
 *
 * A reference comes from a user, so a file is looked at before it is opened for good: opening a pipe or a device can
 * block or do things. `O_PATH` opens nothing but the name.
 */
import * as fs from 'node:fs';
import { cloneNewNet, nsfsMagic, nsGetNstype, openPath } from '../native/constants.ts';
import { fileSystemType, ioctl } from '../native/libc.ts';

export interface OpenNamespace {
  readonly fd: number;
  /** Tells live namespaces apart; a number may come again when its namespace is gone, so compare open ones. */
  readonly inode: number;
}

export type NamespaceFault =
  /** Nothing is there. */
  | 'absent'
  | 'denied'
  /** Something else is there. */
  | 'no-namespace';

/** The symbolic links of `/proc` are the way to unnamed namespaces; no other link is followed as the last component. */
const procNamespace = /^\/proc\/[^/]+\/(task\/[^/]+\/)?ns\/net$/;

/** Opens the namespace at `path`; the caller closes `fd`. */
export function openNamespaceFile(path: string): OpenNamespace | NamespaceFault {
  const follow = procNamespace.test(path) ? 0 : fs.constants.O_NOFOLLOW;
  try {
    const name = fs.openSync(path, openPath | follow);
    try {
      if (fileSystemType(name) !== nsfsMagic) return 'no-namespace';
      return openChecked(name);
    } finally {
      fs.closeSync(name);
    }
  } catch (error) {
    return faultOf(error);
  }
}

/** The name cannot change under us any more: it is opened through the descriptor that was checked. */
function openChecked(name: number): OpenNamespace | NamespaceFault {
  const fd = fs.openSync(`/proc/self/fd/${name}`, fs.constants.O_RDONLY);
  if (ioctl(fd, nsGetNstype) === cloneNewNet) return { fd, inode: fs.fstatSync(fd).ino };
  fs.closeSync(fd);
  return 'no-namespace';
}

function faultOf(error: unknown): NamespaceFault {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ESRCH') return 'absent';
  if (code === 'EACCES' || code === 'EPERM') return 'denied';
  if (code === 'ELOOP' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return 'no-namespace';
  throw error;
}

/** The inode of the namespace at `path`, without opening it; undefined when none is to be seen there. */
export function namespaceInode(path: string): number | undefined {
  try {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    return stat?.ino;
  } catch {
    return undefined; // unreachable is as good as gone to one who only compares
  }
}
