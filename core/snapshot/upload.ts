/** Writes a state to the store as a snapshot: chunk after chunk, and at the end the manifest that makes it one. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { State } from '../fold/state.ts';
import { assert } from '../lib/assert.ts';
import type { Position } from '../log/event-log.ts';
import type { SnapshotStore } from '../log/snapshot-store.ts';
import type { LogId, SnapshotId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Compression } from '../ports/compression.ts';
import type { Random } from '../ports/random.ts';
import { blocksOf } from './blocks.ts';
import { encodeManifest, type Manifest } from './manifest.ts';
import { snapshotLines } from './write-snapshot.ts';

/** A state with where in which log it stands, and who writes it down. */
export interface SnapshotSource {
  readonly state: State;
  readonly position: Position;
  readonly logId: LogId;
  readonly host: string;
  readonly at: number;
}

export interface UploadPorts {
  readonly snapshots: SnapshotStore;
  readonly compression: Compression;
  readonly random: Random;
  /** Carries out one write, again and again until it is known to have been done. */
  persist(write: () => Promise<void>): Promise<void>;
}

const ordinalDigits = 14;

/**
 * Resolves with the manifest once the snapshot is whole. The state is not copied: it is immutable, and the fold may go
 * on meanwhile.
 *
 * @throws whatever `persist` gives up with; what was written then has no manifest
 */
export async function uploadSnapshot(
  source: SnapshotSource,
  { snapshots, compression, random, persist }: UploadPorts,
  signal: CancelSignal,
): Promise<Manifest> {
  const { state, position, logId, host, at } = source;
  assert(state.ordinal > 0, 'there is something to write down');
  const id = snapshotIdOf(state.ordinal, random);
  const digest = sha256.create();
  let [chunks, bytes] = [0, 0];
  for (const block of blocksOf(snapshotLines(state))) {
    const chunk = await compression.compress(block);
    await persist(() => snapshots.putChunk(id, chunks, chunk, signal));
    digest.update(chunk);
    chunks += 1;
    bytes += chunk.length;
  }
  const manifest: Manifest = {
    v: 1,
    id,
    logId,
    position,
    ordinal: state.ordinal,
    recordHash: state.recordHash,
    stateHash: state.stateHash,
    chunks,
    bytes,
    digest: bytesToHex(digest.digest()),
    compression: compression.name,
    host,
    at,
  };
  await persist(() => snapshots.putManifest(id, encodeManifest(manifest), signal));
  return manifest;
}

/** Ids sort as their ordinals do. */
export function snapshotIdOf(ordinal: number, random: Random): SnapshotId {
  return (ordinal.toString(16).padStart(ordinalDigits, '0') +
    random.hex((32 - ordinalDigits) / 2)) as SnapshotId;
}

/** The ordinal that an id stands for: also of a snapshot whose manifest was never written. */
export function ordinalOf(id: SnapshotId): number {
  return Number.parseInt(id.slice(0, ordinalDigits), 16);
}
