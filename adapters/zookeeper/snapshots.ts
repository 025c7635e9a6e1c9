/** Snapshots beside a log in ZooKeeper: a node each, with a child for every chunk and one for the manifest. */

import type { SnapshotStore, StoredSnapshot } from '../../core/log/snapshot-store.ts';
import type { SnapshotId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { requireFit } from '../snapshot-bounds.ts';
import { Beside } from './beside.ts';
import type { Calls } from './calls.ts';
import type { Channel, MultiOp } from './channel.ts';
import { completed, ZookeeperCallError } from './errors.ts';
import { isSnapshotId } from './keys.ts';
import { besideTriesMax, dropChunks } from './limits.ts';
import type { LogScope } from './transactions.ts';

const putting = 'keep a snapshot beside the log at';
const dropping = 'drop a snapshot beside the log at';
const reading = 'read the snapshots beside the log at';

export class ZookeeperSnapshots implements SnapshotStore {
  readonly #calls: Calls;
  /** Of the log that was opened. @throws WeftError `closed` */
  readonly #opened: () => LogScope;

  constructor(calls: Calls, opened: () => LogScope) {
    this.#calls = calls;
    this.#opened = opened;
  }

  async putChunk(id: SnapshotId, index: number, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    requireFit('chunk', bytes);
    const scope = this.#opened();
    await this.#calls.write(signal, putting, (call) =>
      this.#put(scope, id, scope.paths.chunk(id, index), bytes, call),
    );
  }

  async putManifest(id: SnapshotId, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    requireFit('manifest', bytes);
    const scope = this.#opened();
    await this.#calls.write(signal, putting, (call) =>
      this.#put(scope, id, scope.paths.manifest(id), bytes, call),
    );
  }

  async list(signal: CancelSignal): Promise<readonly StoredSnapshot[]> {
    const scope = this.#opened();
    return await this.#calls.read(scope, signal, reading, async (channel, call) => {
      const found = await channel.children(scope.paths.snapshots, call);
      const ids = (found?.names ?? []).filter(isSnapshotId);
      return await Promise.all(
        ids.map(async (id) => {
          const node = await channel.read(scope.paths.manifest(id), call);
          return { id, ...(node === undefined ? {} : { manifest: node.data }) };
        }),
      );
    });
  }

  async getChunk(id: SnapshotId, index: number, signal: CancelSignal): Promise<Uint8Array | undefined> {
    const scope = this.#opened();
    return await this.#calls.read(scope, signal, reading, async (channel, call) => {
      return (await channel.read(scope.paths.chunk(id, index), call))?.data;
    });
  }

  async drop(id: SnapshotId, signal: CancelSignal): Promise<void> {
    const scope = this.#opened();
    await this.#calls.write(signal, dropping, (call) => this.#drop(scope, id, call));
  }

  async #put(
    scope: LogScope,
    id: SnapshotId,
    path: string,
    bytes: Uint8Array,
    signal: CancelSignal,
  ): Promise<void> {
    const folders = [scope.paths.snapshots, scope.paths.snapshot(id)];
    await new Beside(this.#calls, scope).put(folders, path, bytes, 'new', signal);
  }

  /** First the manifest: what has one is whole. */
  async #drop(scope: LogScope, id: SnapshotId, signal: CancelSignal): Promise<void> {
    const channel = await this.#calls.channel(signal);
    await new Beside(this.#calls, scope).change(
      channel,
      { type: 'delete', path: scope.paths.manifest(id) },
      signal,
    );
    const folder = scope.paths.snapshot(id);
    await this.#calls.exchange(channel, () => completed(() => removeFolder(channel, folder, signal)));
  }
}

/** Others may do the same, or put a late chunk into it. @throws ZookeeperCallError */
async function removeFolder(channel: Channel, path: string, signal: CancelSignal): Promise<void> {
  for (let left = besideTriesMax; left > 0; left -= 1) {
    const found = await channel.children(path, signal);
    if (found === undefined) return;
    const ops: MultiOp[] = found.names.map((name) => ({ type: 'delete', path: `${path}/${name}` }));
    let isWhole = true;
    for (let start = 0; isWhole && start < ops.length; start += dropChunks) {
      const outcome = await channel.multi(ops.slice(start, start + dropChunks), signal);
      isWhole = outcome.type === 'done';
    }
    if (!isWhole) continue;
    const outcome = await channel.multi([{ type: 'delete', path }], signal);
    if (outcome.type === 'done') return;
  }
  throw new ZookeeperCallError('lost', `others changed ${path} ${besideTriesMax} times meanwhile`);
}
