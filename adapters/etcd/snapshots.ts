/** Snapshots beside the log: a key for each chunk and one for the manifest (keys.ts). */

import type { SnapshotStore, StoredSnapshot } from '../../core/log/snapshot-store.ts';
import { isRandomId, type SnapshotId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { requireFit } from '../snapshot-bounds.ts';
import type { LogKeys } from './keys.ts';
import type { Requests } from './requests.ts';
import { assertFence, fencedWrite, kvsOf, readKey } from './transactions.ts';

const reading = 'read the snapshots at';
const writing = 'write a snapshot to';

export class EtcdSnapshots implements SnapshotStore {
  readonly #keys: LogKeys;
  readonly #requests: Requests;

  constructor(keys: LogKeys, requests: Requests) {
    this.#keys = keys;
    this.#requests = requests;
  }

  async putChunk(id: SnapshotId, index: number, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    requireFit('chunk', bytes);
    await this.#put(this.#keys.chunk(id, index), bytes, signal);
  }

  async putManifest(id: SnapshotId, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    requireFit('manifest', bytes);
    await this.#put(this.#keys.manifest(id), bytes, signal);
  }

  /**
   * Goes from one snapshot to the next by the first key of each: a range over all of them would make the server read the
   * chunks too, however little of them it gives back.
   */
  async list(signal: CancelSignal): Promise<readonly StoredSnapshot[]> {
    const found: StoredSnapshot[] = [];
    let name = await this.#nextName(this.#keys.snapshots.start, signal);
    while (name !== undefined) {
      if (isRandomId(name)) {
        const id = name as SnapshotId;
        const manifest = await this.#get(this.#keys.manifest(id), signal);
        found.push(manifest === undefined ? { id } : { id, manifest });
      }
      // '0' follows '/': behind the whole folder, and before every id that has this name for a beginning.
      const next = Buffer.from(`${name}0`, 'latin1');
      name = await this.#nextName(Buffer.concat([this.#keys.snapshots.start, next]), signal);
    }
    return found;
  }

  async getChunk(id: SnapshotId, index: number, signal: CancelSignal): Promise<Uint8Array | undefined> {
    return await this.#get(this.#keys.chunk(id, index), signal);
  }

  /** In one transaction, so nobody sees a manifest without its chunks. */
  async drop(id: SnapshotId, signal: CancelSignal): Promise<void> {
    const { start, end } = this.#keys.snapshot(id);
    const scope = this.#requests.scope();
    const request = fencedWrite(scope, [{ request_delete_range: { key: start, range_end: end } }]);
    assertFence(scope, await this.#requests.write(request, signal, 'drop a snapshot at'));
  }

  async #put(key: Buffer, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    const scope = this.#requests.scope();
    const request = fencedWrite(scope, [{ request_put: { key, value: Buffer.from(bytes) } }]);
    assertFence(scope, await this.#requests.write(request, signal, writing));
  }

  async #get(key: Buffer, signal: CancelSignal): Promise<Uint8Array | undefined> {
    const answer = await this.#requests.read([readKey(key)], signal, reading);
    const value = kvsOf(answer, 0)[0]?.value;
    return value === undefined ? undefined : Uint8Array.from(value);
  }

  /** The snapshot, or whatever else, of the first key from `start` on. */
  async #nextName(start: Buffer, signal: CancelSignal): Promise<string | undefined> {
    const range = { key: start, range_end: this.#keys.snapshots.end, keys_only: true, limit: 1 };
    const answer = await this.#requests.read([{ request_range: range }], signal, reading);
    const key = kvsOf(answer, 0)[0]?.key;
    return key === undefined ? undefined : this.#keys.snapshotNameOf(key);
  }
}
