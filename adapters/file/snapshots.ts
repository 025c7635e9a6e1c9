/**
 * Snapshots beside the log: `snapshots/<id>/0000`, `0001`… and `manifest`, each file whole or not there at all. They take no
 * lock: the files of one id have one author, and any process may read or drop them.
 */
import { assert } from '../../core/lib/assert.ts';
import type { SnapshotStore, StoredSnapshot } from '../../core/log/snapshot-store.ts';
import { isRandomId, type SnapshotId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { requireFit } from '../snapshot-bounds.ts';
import type { Beside } from './beside.ts';
import { isSystemError, repeatError, storeError } from './errors.ts';
import type { FileSystem } from './file-system.ts';
import { namesIn, putWhole, readWhole } from './whole-file.ts';

const manifestName = 'manifest';
const chunkDigits = 4;

export class FileSnapshots implements SnapshotStore {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #beside: Beside;

  constructor(fileSystem: FileSystem, directory: string, beside: Beside) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#beside = beside;
  }

  async putChunk(id: SnapshotId, index: number, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    requireFit('chunk', bytes);
    await this.#put(id, chunkName(index), bytes, signal);
  }

  async putManifest(id: SnapshotId, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    requireFit('manifest', bytes);
    await this.#put(id, manifestName, bytes, signal);
  }

  async list(signal: CancelSignal): Promise<readonly StoredSnapshot[]> {
    return await this.#beside.look(`list the snapshots in ${this.#root}`, signal, async () => {
      const found: StoredSnapshot[] = [];
      for (const name of await namesIn(this.#fileSystem, this.#root)) {
        if (!isRandomId(name)) continue;
        const id = name as SnapshotId;
        const manifest = await readWhole(this.#fileSystem, `${this.#pathOf(id)}/${manifestName}`);
        found.push(manifest === undefined ? { id } : { id, manifest });
      }
      return found;
    });
  }

  async getChunk(id: SnapshotId, index: number, signal: CancelSignal): Promise<Uint8Array | undefined> {
    const path = `${this.#pathOf(id)}/${chunkName(index)}`;
    return await this.#beside.look(`read ${path}`, signal, () => readWhole(this.#fileSystem, path));
  }

  async drop(id: SnapshotId, signal: CancelSignal): Promise<void> {
    const path = this.#pathOf(id);
    await this.#beside.write(`remove ${path}`, signal, async () => {
      try {
        const names = await namesIn(this.#fileSystem, path);
        if (names.includes(manifestName)) await this.#fileSystem.remove(`${path}/${manifestName}`);
        // Should it come back after a power failure, then not without its chunks. Also where an earlier try removed it.
        await this.#fileSystem.syncDirectory(path);
        for (const name of names) if (name !== manifestName) await this.#fileSystem.remove(`${path}/${name}`);
        await this.#fileSystem.removeDirectory(path);
      } catch (error) {
        // Nothing there, or another process was faster.
        if (!isSystemError(error, 'ENOENT')) throw repeatError(`remove ${path}`, error);
      }
    });
  }

  get #root(): string {
    return `${this.#directory}/snapshots`;
  }

  async #put(id: SnapshotId, name: string, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    const path = this.#pathOf(id);
    const own = Uint8Array.from(bytes);
    await this.#beside.write(`write ${path}/${name}`, signal, async () => {
      try {
        await this.#fileSystem.makeDirectory(path);
      } catch (error) {
        throw storeError(error, `make ${path}`);
      }
      await putWhole(this.#fileSystem, path, name, own);
    });
  }

  /** Ids come from the store's own names and from manifests that others wrote: no other text may become a path. */
  #pathOf(id: SnapshotId): string {
    assert(isRandomId(id), 'the id of a snapshot is 32 hexadecimal digits');
    return `${this.#root}/${id}`;
  }
}

function chunkName(index: number): string {
  return String(index).padStart(chunkDigits, '0');
}
