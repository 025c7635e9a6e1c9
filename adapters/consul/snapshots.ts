/**
 * Snapshots beside the log, one key a chunk and one for the manifest. Every write may be repeated, since it writes the
 * same bytes.
 */
import type { SnapshotStore, StoredSnapshot } from '../../core/log/snapshot-store.ts';
import type { SnapshotId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { requireFit } from '../snapshot-bounds.ts';
import type { Calls } from './calls.ts';
import type { KvOperation } from './channel.ts';
import type { Connection } from './connection.ts';
import type { FencedWrites } from './fenced-writes.ts';
import { manifestsPerRead } from './limits.ts';
import { readFenced } from './reads.ts';
import { encode, findKey, type LogScope } from './transactions.ts';

const keepingSnapshot = 'keep a snapshot at';

export class ConsulSnapshots implements SnapshotStore {
  readonly #calls: Calls;
  readonly #connection: Connection;
  readonly #opened: () => LogScope;
  readonly #writes: FencedWrites;

  /** @param opened the log; throws where it is not open */
  constructor(calls: Calls, connection: Connection, writes: FencedWrites, opened: () => LogScope) {
    this.#calls = calls;
    this.#connection = connection;
    this.#opened = opened;
    this.#writes = writes;
  }

  async putChunk(id: SnapshotId, index: number, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    const { keys } = this.#opened();
    requireFit('chunk', bytes);
    await this.#writes.write(keepingSnapshot, put(keys.snapshot(id).chunk(index), bytes), signal);
  }

  async putManifest(id: SnapshotId, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    const { keys } = this.#opened();
    requireFit('manifest', bytes);
    await this.#writes.write(keepingSnapshot, put(keys.snapshot(id).manifest, bytes), signal);
  }

  async list(signal: CancelSignal): Promise<readonly StoredSnapshot[]> {
    const scope = this.#opened();
    return await this.#calls.read('list the snapshots at', signal, async (live) => {
      const folders = await this.#connection.read(live, (member, limits) =>
        member.names(scope.keys.snapshots, limits),
      );
      const ids = folders.flatMap((folder) => scope.keys.snapshotOf(folder) ?? []);
      const found: StoredSnapshot[] = [];
      // Also where there are none: the answer is believed only with the log's identity.
      for (let start = 0; start === 0 || start < ids.length; start += manifestsPerRead)
        found.push(...(await this.#manifests(scope, ids.slice(start, start + manifestsPerRead), live)));
      return found;
    });
  }

  async getChunk(id: SnapshotId, index: number, signal: CancelSignal): Promise<Uint8Array | undefined> {
    const scope = this.#opened();
    const key = scope.keys.snapshot(id).chunk(index);
    return await this.#calls.read('read a snapshot at', signal, async (live) => {
      const found = await readFenced(scope, this.#connection, [key], live);
      return findKey(found, key)?.value;
    });
  }

  /** All at once, so no manifest is ever left without its chunks. */
  async drop(id: SnapshotId, signal: CancelSignal): Promise<void> {
    const { folder } = this.#opened().keys.snapshot(id);
    await this.#writes.write(keepingSnapshot, { Verb: 'delete-tree', Key: folder }, signal);
  }

  async #manifests(
    scope: LogScope,
    ids: readonly SnapshotId[],
    signal: CancelSignal,
  ): Promise<StoredSnapshot[]> {
    const keyOf = (id: SnapshotId) => scope.keys.snapshot(id).manifest;
    const found = await readFenced(scope, this.#connection, ids.map(keyOf), signal);
    return ids.map((id) => {
      const manifest = findKey(found, keyOf(id))?.value;
      return { id, ...(manifest === undefined ? {} : { manifest }) };
    });
  }
}

function put(key: string, bytes: Uint8Array): KvOperation {
  return { Verb: 'set', Key: key, Value: encode(bytes) };
}
