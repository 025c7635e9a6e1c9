/**
 * The API's socket in the file system: where it may be, who may use it, and whether a daemon is behind it already.
 *
 * It is made under a temporary name, given its mode and group, and renamed into place, so that there is no moment at
 * which anybody else could connect or a client could find half a socket. A file lock beside it, which the kernel
 * releases with the process, keeps two daemons apart; what lies at the path without a lock is stale and replaced.
 * Never an abstract socket: those are reachable from any container that shares the host's network (CVE-2020-15257).
 */
import { chmod, chown, lstat, readFile, rename, rm } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { makeDirectory } from '../../adapters/system/make-directory.ts';
import { isWeftError, WeftError } from '../../core/errors.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { FileLock } from '../file-lock.ts';

const directoryMode = 0o755;
const socketMode = 0o660;
/** Leaves what `socketMode` allows. */
const socketUmask = 0o117;
const socketGroup = 'weft';
/** `sun_path` has 108 bytes with its terminating zero (unix(7)); the temporary name is the longest in use. */
const pathBytesMax = 107;
const temporarySuffix = '.new';

/** A socket that a server listens on. */
export class UnixSocket {
  readonly #path: string;
  readonly #lock: FileLock;
  /** The file that is ours: another one at the path is not removed. */
  readonly #inode: bigint;

  private constructor(path: string, lock: FileLock, inode: bigint) {
    this.#path = path;
    this.#lock = lock;
    this.#inode = inode;
  }

  /**
   * Makes `server` listen on `path`; the parent directory is made if it is missing.
   *
   * @throws WeftError `already-running`, `bad-configuration` (the path is too long, or something else lies there),
   *   `permission-denied`
   */
  static async listen(server: Server, path: string, logger: Logger): Promise<UnixSocket> {
    if (Buffer.byteLength(path + temporarySuffix) > pathBytesMax) {
      const most = pathBytesMax - temporarySuffix.length;
      throw new WeftError(
        'bad-configuration',
        `The socket path ${path} is longer than ${most} bytes: choose a shorter one`,
      );
    }
    try {
      await makePublicDirectory(dirname(path));
      const refusal = `Another daemon listens on ${path}: stop it or choose another --socket`;
      const lock = await FileLock.take(`${path}.lock`, refusal);
      try {
        return new UnixSocket(path, lock, await listenAlone(server, path, logger));
      } catch (error) {
        await lock.release();
        throw error;
      }
    } catch (error) {
      throw isWeftError(error) ? error : explained(path, error);
    }
  }

  /** Removes the socket and lets go of its lock. The server has been closed before. */
  async remove(): Promise<void> {
    try {
      const found = await statOrNothing(this.#path);
      if (found?.ino === this.#inode) await rm(this.#path, { force: true });
    } finally {
      await this.#lock.release();
    }
  }
}

/** Open to all, whatever the umask: the socket itself says who may use it. One that exists is left as it is. */
async function makePublicDirectory(path: string): Promise<void> {
  const made = await makeDirectory(path);
  if (made !== undefined) await chmod(path, directoryMode);
}

/** With the lock held. @returns the inode of the socket */
async function listenAlone(server: Server, path: string, logger: Logger): Promise<bigint> {
  await makeRoom(path);
  const temporary = path + temporarySuffix;
  await rm(temporary, { force: true });
  await bind(server, temporary);
  await chmod(temporary, socketMode);
  await giveToGroup(temporary, logger);
  const { ino } = await lstat(temporary, { bigint: true });
  await rename(temporary, path);
  return ino;
}

/** @throws WeftError when the path holds something that is not a stale socket */
async function makeRoom(path: string): Promise<void> {
  const found = await statOrNothing(path);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new WeftError('bad-configuration', `${path} is no socket: remove it or choose another --socket`);
  }
  if (await answers(path)) {
    throw new WeftError(
      'already-running',
      `Another process listens on ${path}: stop it or choose another --socket`,
    );
  }
}

function statOrNothing(path: string) {
  return lstat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // A full queue (EAGAIN) has somebody behind it; everything else does not.
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EAGAIN'));
  });
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Node binds within this call, so the umask, which belongs to the whole process, is ours for no longer than it.
    const before = process.umask(socketUmask);
    try {
      server.listen(path, () => {
        server.removeListener('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

async function giveToGroup(path: string, logger: Logger): Promise<void> {
  const gid = await groupId(socketGroup);
  if (gid === undefined) return;
  try {
    await chown(path, process.getuid?.() ?? -1, gid);
  } catch (error) {
    // Without it the socket is narrower than wanted, never wider.
    logger.warn('Cannot give the socket to its group', { path, group: socketGroup, error });
  }
}

/** From /etc/group alone: a system group that a package made is there. */
async function groupId(name: string): Promise<number | undefined> {
  const text = await readFile('/etc/group', 'utf8').catch(() => '');
  const line = text.split('\n').find((entry) => entry.startsWith(`${name}:`));
  const gid = Number(line?.split(':')[2]);
  return Number.isInteger(gid) ? gid : undefined;
}

function explained(path: string, error: unknown): WeftError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const message = `Cannot make the socket ${path}: permission denied: run as root or choose another --socket`;
    return new WeftError('permission-denied', message, { cause: error });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new WeftError(
    'bad-configuration',
    `Cannot make the socket ${path}: ${reason}: choose another --socket`,
    {
      cause: error,
    },
  );
}
