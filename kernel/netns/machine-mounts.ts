/**
 * The mounts that every shell of the machine sees.
 *
 * Named network namespaces are bind mounts, and `ip netns exec` gives the process that it starts a mount namespace of
 * its own, a slave of the machine's: a daemon started so sees what others mount, but nobody sees what it mounts. So
 * namespaces are mounted in the machine's mount namespace, which is that of process 1. Where that may not be looked at,
 * the topmost ancestor that may stands for it: whoever started the daemon by `ip netns exec` is among them.
 */
import * as fs from 'node:fs';
import type { Logger } from '../../core/ports/logger.ts';
import { cloneFs, cloneNewNs, openPath } from '../native/constants.ts';
import { chroot, fchdir, setns, unshare } from '../native/libc.ts';

export class MachineMounts {
  /** Absent where the process lives in the machine's mount namespace itself. */
  readonly #outside: { readonly namespaceFd: number; readonly rootFd: number } | undefined;

  /** @param process `/proc/PID` of the process that stands for the machine, where there is one to be seen */
  constructor(process: string | undefined, logger: Logger) {
    if (process === undefined) {
      logger.warn(
        'Cannot look at the mount namespace of any parent process; namespaces are mounted in my own',
      );
      this.#outside = undefined;
      return;
    }
    const namespaceFd = fs.openSync(`${process}/ns/mnt`, fs.constants.O_RDONLY);
    if (fs.fstatSync(namespaceFd).ino === fs.statSync('/proc/thread-self/ns/mnt').ino) {
      fs.closeSync(namespaceFd);
      this.#outside = undefined;
      return;
    }
    // Both are kept: the ancestor may end, its namespace stays.
    this.#outside = { namespaceFd, rootFd: openDirectory(`${process}/root`) };
    logger.info('Namespaces are mounted in the mount namespace of the machine, not in my own', { process });
  }

  /** How to reach, from here, what the machine has at an absolute path; the path itself where that is the same. */
  path(path: string): string {
    return this.#outside === undefined ? path : `/proc/self/fd/${this.#outside.rootFd}${path}`;
  }

  /** Runs `work`, which must be synchronous, with the machine's mounts in place of the process' own. */
  run<T>(work: () => T): T {
    return this.#outside === undefined ? work() : inMountNamespace(this.#outside.namespaceFd, work);
  }

  close(): void {
    if (this.#outside === undefined) return;
    fs.closeSync(this.#outside.namespaceFd);
    fs.closeSync(this.#outside.rootFd);
  }
}

/**
 * A thread may change its mount namespace only when it shares root and working directory with no other (`setns(2)`), so
 * the main thread parts from the others first, every time: a thread that was started since shares with it again.
 * `setns` moves both to the new namespace's root, therefore they are put back by hand.
 */
function inMountNamespace<T>(fd: number, work: () => T): T {
  unshare(cloneFs);
  const home = fs.openSync('/proc/thread-self/ns/mnt', fs.constants.O_RDONLY);
  const root = openDirectory('/');
  const directory = openDirectory('.');
  try {
    setns(fd, cloneNewNs);
    try {
      return work();
    } finally {
      comeBack(home, root, directory);
    }
  } finally {
    for (const open of [home, root, directory]) fs.closeSync(open);
  }
}

/** A process that looks at the wrong files must not go on. */
function comeBack(home: number, root: number, directory: number): void {
  try {
    setns(home, cloneNewNs);
    fchdir(root);
    chroot('.');
    fchdir(directory);
  } catch {
    process.abort();
  }
}

function openDirectory(path: string): number {
  return fs.openSync(path, openPath | fs.constants.O_DIRECTORY);
}
