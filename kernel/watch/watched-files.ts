/**
 * Directories whose changes tell of namespaces and hosts files: inotify, through Node. What changed is looked up, not
 * believed; a directory that does not exist yet is tried again by the next `watch`.
 */
import * as fs from 'node:fs';
import type { Logger } from '../../core/ports/logger.ts';

export class WatchedFiles {
  readonly #watchers: Map<string, fs.FSWatcher> = new Map();
  readonly #onChange: (directory: string) => void;
  readonly #logger: Logger;

  constructor(onChange: (directory: string) => void, logger: Logger) {
    this.#onChange = onChange;
    this.#logger = logger;
  }

  /** The directories that are watched from now on, instead of the former ones. */
  watch(directories: ReadonlySet<string>): void {
    for (const [directory, watcher] of [...this.#watchers]) {
      if (!directories.has(directory)) this.#drop(directory, watcher);
    }
    for (const directory of directories) if (!this.#watchers.has(directory)) this.#add(directory);
  }

  close(): void {
    for (const [directory, watcher] of [...this.#watchers]) this.#drop(directory, watcher);
  }

  #add(directory: string): void {
    try {
      const watcher = fs.watch(directory, { persistent: false }, (_, name) => {
        // Its own name: the directory itself was removed, and the watch with it.
        if (name === null || !fs.existsSync(directory)) this.#drop(directory, watcher);
        this.#onChange(directory);
      });
      watcher.on('error', (error) => {
        this.#logger.warn('Lost the watch on a directory', { directory, error: error.message });
        this.#drop(directory, watcher);
      });
      this.#watchers.set(directory, watcher);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      // The audit will notice what this misses.
      this.#logger.warn('Cannot watch a directory', { directory, error: String(error) });
    }
  }

  #drop(directory: string, watcher: fs.FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(directory) === watcher) this.#watchers.delete(directory);
  }
}
