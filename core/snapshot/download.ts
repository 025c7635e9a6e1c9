/** Reads a snapshot from the store back into a state, checking all that its manifest claims. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { isWeftError, WeftError } from '../errors.ts';
import type { State } from '../fold/state.ts';
import type { SnapshotStore } from '../log/snapshot-store.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Compression } from '../ports/compression.ts';
import { blockBytesMax, linesOf } from './blocks.ts';
import { decodeManifest, type Manifest } from './manifest.ts';
import { SnapshotReader } from './read-snapshot.ts';

/**
 * The manifests of all whole snapshots, newest first. One that cannot be read is left out and told of.
 *
 * @throws WeftError what `SnapshotStore.list` throws
 */
export async function listSnapshots(
  snapshots: SnapshotStore,
  onUnreadable: (reason: string) => void,
  signal: CancelSignal,
): Promise<readonly Manifest[]> {
  const manifests: Manifest[] = [];
  for (const { id, manifest } of await snapshots.list(signal)) {
    if (manifest === undefined) continue;
    try {
      const decoded = decodeManifest(manifest);
      if (decoded.id === id) manifests.push(decoded);
      else onUnreadable(`snapshot ${id} has the manifest of ${decoded.id}`);
    } catch (error) {
      if (!isWeftError(error)) throw error;
      onUnreadable(`snapshot ${id}: ${error.message}`);
    }
  }
  return manifests.sort((a, b) => b.ordinal - a.ordinal || (a.id < b.id ? 1 : -1));
}

/**
 * The state of a snapshot.
 *
 * @throws WeftError `bad-snapshot` where it is not what its manifest says, `unknown-version`, and what
 *   `SnapshotStore.getChunk` throws
 */
export async function downloadSnapshot(
  manifest: Manifest,
  { snapshots, compression }: { readonly snapshots: SnapshotStore; readonly compression: Compression },
  signal: CancelSignal,
): Promise<State> {
  if (manifest.compression !== compression.name) {
    throw bad(`it is packed with '${manifest.compression}', and this weft knows '${compression.name}'`);
  }
  const reader = new SnapshotReader();
  const digest = sha256.create();
  const read = async (index: number): Promise<string> => {
    const chunk = await snapshots.getChunk(manifest.id, index, signal);
    if (chunk === undefined) throw bad(`chunk ${index} of ${manifest.chunks} is missing`);
    digest.update(chunk);
    return await compression.expand(chunk, blockBytesMax);
  };
  // The next chunk is on its way, and unpacked beside us, while one is taken in.
  let ahead = read(0);
  for (let index = 0; index < manifest.chunks; index += 1) {
    const text = await ahead;
    if (index + 1 < manifest.chunks) ahead = read(index + 1);
    // It is waited for in any case, or the failure before it is the one to tell of.
    ahead.catch(() => undefined);
    for (const line of linesOf(text)) reader.take(line);
  }
  if (bytesToHex(digest.digest()) !== manifest.digest) throw bad('its bytes are not those that were written');
  const state = reader.finish();
  const { ordinal, recordHash, stateHash } = manifest;
  if (state.ordinal !== ordinal || state.recordHash !== recordHash || state.stateHash !== stateHash) {
    throw bad(`it stands at ${state.ordinal} and its manifest says ${ordinal}, or their hashes differ`);
  }
  return state;
}

function bad(why: string): WeftError {
  return new WeftError('bad-snapshot', `Cannot use the snapshot: ${why}`);
}
