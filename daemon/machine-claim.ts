/**
 * What a daemon must have to itself before it does anything: its data directory and its prefix of namespace names. The
 * socket is claimed when the API listens.
 */
import type { Random } from '../core/ports/random.ts';
import type { Configuration } from './configuration/configuration.ts';
import { DataDirectory } from './data-directory.ts';
import { runtimeDirectory } from './defaults.ts';
import type { FileLock } from './file-lock.ts';
import { lockNetnsPrefix } from './machine-lock.ts';

export class MachineClaim {
  readonly #directory: DataDirectory;
  readonly #prefix: FileLock;

  private constructor(directory: DataDirectory, prefix: FileLock) {
    this.#directory = directory;
    this.#prefix = prefix;
  }

  /** @throws WeftError `already-running`, `permission-denied`, `bad-configuration` */
  static async take(
    configuration: Pick<Configuration, 'dataDir' | 'netnsPrefix'>,
    random: Random,
    directory: string = runtimeDirectory,
  ): Promise<MachineClaim> {
    const prefix = await lockNetnsPrefix(directory, configuration.netnsPrefix);
    try {
      return new MachineClaim(await DataDirectory.open(configuration.dataDir, random), prefix);
    } catch (error) {
      await prefix.release();
      throw error;
    }
  }

  /** By which the cluster knows this host again. */
  get identity(): string {
    return this.#directory.identity;
  }

  async release(): Promise<void> {
    try {
      await this.#directory.close();
    } finally {
      await this.#prefix.release();
    }
  }
}
