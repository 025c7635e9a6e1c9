/**
 * Named network namespaces, as `ip netns` keeps them: a file in `/run/netns` on which the namespace is mounted. Made
 * and removed where every shell of the machine sees it; see `machine-mounts.ts`.
 *
 * Equivalent to: ip netns add NAME, ip netns delete NAME.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { namedNamespacesMax } from '../limits.ts';
import { errno, mntDetach, msBind, msRec, msShared, nsfsMagic, openPath } from '../native/constants.ts';
import { fileSystemType, mount, SystemError, unmount } from '../native/libc.ts';
import type { HomeNamespace } from './enter.ts';
import type { MachineMounts } from './machine-mounts.ts';
import { namespaceInode } from './namespace-file.ts';

export class NamedNamespaces {
  readonly directory: string;
  readonly #mounts: MachineMounts;
  readonly #home: HomeNamespace;

  constructor(directory: string, mounts: MachineMounts, home: HomeNamespace) {
    this.directory = directory;
    this.#mounts = mounts;
    this.#home = home;
  }

  /** Where the name is to be found: in the process' own mounts, or else in the machine's. */
  pathOf(name: string): string {
    const own = path.join(this.directory, name);
    return isNamespaceMount(own) ? own : this.#mounts.path(own);
  }

  names(): string[] {
    try {
      return fs.readdirSync(this.#mounts.path(this.directory)).slice(0, namedNamespacesMax);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  exists(name: string): boolean {
    return isNamespaceMount(this.#mounts.path(path.join(this.directory, name)));
  }

  /** Makes a namespace of that name unless there is one. */
  create(name: string): void {
    if (this.exists(name)) return;
    const fd = this.#home.insideNew(() => fs.openSync('/proc/thread-self/ns/net', fs.constants.O_RDONLY));
    try {
      this.#mounts.run(() => {
        shareDirectory(this.directory);
        mountAt(`/proc/self/fd/${fd}`, path.join(this.directory, name));
      });
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Takes the name away. The namespace itself ends with the last process and descriptor in it. */
  remove(name: string): void {
    const target = path.join(this.directory, name);
    this.#mounts.run(() => {
      if (namespaceInode(target) === undefined) return;
      detach(target);
      fs.rmSync(target, { force: true });
    });
  }
}

function isNamespaceMount(file: string): boolean {
  try {
    const fd = fs.openSync(file, openPath | fs.constants.O_NOFOLLOW);
    try {
      return fileSystemType(fd) === nsfsMagic;
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Makes the directory a shared mount, as iproute2 does, so that what is mounted below it appears in the mount namespaces
 * that `ip netns exec` has made before.
 */
function shareDirectory(directory: string): void {
  fs.mkdirSync(directory, { recursive: true, mode: 0o755 });
  try {
    mount('', directory, msShared | msRec);
  } catch (error) {
    // EINVAL: it is no mount point yet.
    if (!(error instanceof SystemError) || error.errno !== errno.EINVAL) throw error;
    mount(directory, directory, msBind | msRec);
    mount('', directory, msShared | msRec);
  }
}

function mountAt(source: string, target: string): void {
  // A file that is there without a namespace was left by one who died between the two steps, and is used.
  fs.closeSync(
    fs.openSync(target, fs.constants.O_RDONLY | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW, 0),
  );
  try {
    mount(source, target, msBind);
  } catch (error) {
    fs.rmSync(target, { force: true });
    throw error;
  }
}

/** Until nothing is mounted there: a name can have been mounted over. */
function detach(target: string): void {
  for (let layer = 0; layer < 8; layer++) {
    try {
      unmount(target, mntDetach);
    } catch (error) {
      if (error instanceof SystemError && error.errno === errno.EINVAL) return;
      throw error;
    }
  }
}
