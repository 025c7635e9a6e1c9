/**
 * The lock under which one process at a time writes to a log's directory. It belongs to an open file, so the kernel
 * gives it back when its holder dies, however it dies.
 *
 * Nobody waits inside the kernel: a wait there would hold one of Node's few threads and could not be cancelled. To try
 * again and again is unfair to whoever comes from outside to a process that writes all the time, hence a turnstile: only
 * who has the lock of `QUEUE` may try for that of `LOCK`, and lets go of the first when it has the second. A writer that
 * comes back at once finds the one who waits standing in the turnstile.
 */
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Random } from '../../core/ports/random.ts';
import type { FileLogBounds } from './defaults.ts';
import type { FileSystem, OpenFile } from './file-system.ts';

export class DirectoryLock {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #bounds: FileLogBounds;
  readonly #files = new Map<'LOCK' | 'QUEUE', OpenFile>();

  constructor(
    fileSystem: FileSystem,
    directory: string,
    ports: { readonly clock: Clock; readonly random: Random },
    bounds: FileLogBounds,
  ) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#bounds = bounds;
  }

  /** True when the lock is held; false when `signal` aborted first. One call at a time. @throws system errors */
  async acquire(signal: CancelSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (!(await this.#enter('QUEUE', signal))) return false;
      try {
        if (!(await this.#enter('LOCK', signal))) return false;
      } finally {
        this.#files.get('QUEUE')?.unlock();
      }
      if (await this.#isCurrent()) return true;
    }
    return false;
  }

  release(): void {
    this.#files.get('LOCK')?.unlock();
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map((file) => file.close()));
  }

  async #enter(name: 'LOCK' | 'QUEUE', signal: CancelSignal): Promise<boolean> {
    const file = this.#files.get(name) ?? (await this.#fileSystem.open(`${this.#directory}/${name}`, 'keep'));
    this.#files.set(name, file);
    while (!file.tryLock()) {
      await this.#clock.sleep(this.#bounds.lockRetryMs * (1 + this.#random.unit()), signal);
      if (signal.aborted) return false;
    }
    return true;
  }

  /** A lock on a file that somebody has removed keeps nobody out. Where nobody can tell, it is let go. */
  async #isCurrent(): Promise<boolean> {
    const file = this.#files.get('LOCK');
    const identity = await this.#fileSystem.identityOf(`${this.#directory}/LOCK`).catch((error: unknown) => {
      this.release();
      throw error;
    });
    if (identity === file?.identity) return true;
    this.#files.delete('LOCK');
    await file?.close();
    return false;
  }
}
