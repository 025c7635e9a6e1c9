/**
 * Beats beside the log: a file each, `beats/<boot id>`. They take no lock: a file has one author. Nor are they synced: what a
 * power failure takes away was of daemons that it ended.
 */
import { assert } from '../../core/lib/assert.ts';
import type { PresenceStore, StoredBeat } from '../../core/log/presence-store.ts';
import { type BootId, isRandomId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { requireBeatFits } from '../beat-bounds.ts';
import type { Beside } from './beside.ts';
import { isSystemError, repeatError, storeError } from './errors.ts';
import type { FileSystem } from './file-system.ts';
import { namesIn, putWhole, readWhole } from './whole-file.ts';

export class FilePresence implements PresenceStore {
  readonly #fileSystem: FileSystem;
  readonly #root: string;
  readonly #beside: Beside;

  constructor(fileSystem: FileSystem, directory: string, beside: Beside) {
    this.#fileSystem = fileSystem;
    this.#root = `${directory}/beats`;
    this.#beside = beside;
  }

  async put(boot: BootId, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    requireBeatFits(bytes);
    const path = this.#pathOf(boot);
    const own = Uint8Array.from(bytes);
    await this.#beside.write(`write ${path}`, signal, async () => {
      try {
        await this.#fileSystem.makeDirectory(this.#root);
      } catch (error) {
        throw storeError(error, `make ${this.#root}`);
      }
      await putWhole(this.#fileSystem, this.#root, boot, own, 'unsynced');
    });
  }

  async list(signal: CancelSignal): Promise<readonly StoredBeat[]> {
    return await this.#beside.look(`list the beats in ${this.#root}`, signal, async () => {
      const names = (await namesIn(this.#fileSystem, this.#root)).filter(isRandomId);
      const found = await Promise.all(
        names.map(async (name) => {
          const bytes = await readWhole(this.#fileSystem, `${this.#root}/${name}`);
          return bytes === undefined ? [] : [{ boot: name as BootId, bytes }];
        }),
      );
      return found.flat();
    });
  }

  async drop(boot: BootId, signal: CancelSignal): Promise<void> {
    const path = this.#pathOf(boot);
    await this.#beside.write(`remove ${path}`, signal, async () => {
      try {
        await this.#fileSystem.remove(path);
      } catch (error) {
        if (!isSystemError(error, 'ENOENT')) throw repeatError(`remove ${path}`, error);
      }
    });
  }

  /** No other text may become a path. */
  #pathOf(boot: BootId): string {
    assert(isRandomId(boot), 'the id of a boot is 32 hexadecimal digits');
    return `${this.#root}/${boot}`;
  }
}
