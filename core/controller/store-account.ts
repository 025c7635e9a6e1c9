/**
 * What lies beside the log, for people: which snapshots the store has and whether they can be used, how much lies behind
 * them, and who makes the next one. Reads only, and does not wait for long where the store is silent.
 */
import { isWeftError, WeftError } from '../errors.ts';
import type { State } from '../fold/state.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import type { EventLog, Position } from '../log/event-log.ts';
import type { StoredSnapshot } from '../log/snapshot-store.ts';
import type { LogId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compression } from '../ports/compression.ts';
import { downloadSnapshot } from '../snapshot/download.ts';
import { decodeManifest, type Manifest } from '../snapshot/manifest.ts';
import { dueAt, firstTurn } from '../snapshot/turn.ts';
import { ordinalOf } from '../snapshot/upload.ts';
import type { SnapshotStatus, StoreStatus } from './control.ts';
import { storeCheckMs, storeLookMs } from './defaults.ts';

export interface AccountSources {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly compression: Compression;
  readonly host: string;
  readonly snapshotOrdinals: number | undefined;
  /** Where the fold stands. */
  readonly state: State;
  readonly logId: LogId | undefined;
  entriesSince(position: Position): number | undefined;
  /** Ordinal of the newest snapshot that this host has heard of, 0 where it has heard of none. */
  readonly newest: number;
}

type SnapshotPart = Omit<StoreStatus, 'store' | 'ordinal' | 'caughtUp' | 'caughtUpAgoMs'>;

export async function takeAccount(
  sources: AccountSources,
  { check }: { readonly check: boolean },
  signal: CancelSignal,
): Promise<SnapshotPart> {
  const { state, host, snapshotOrdinals } = sources;
  const found = await lookAt(sources, check, signal);
  const usable = found.snapshots?.filter(({ fault }) => fault === undefined) ?? [];
  const newest = found.snapshots === undefined ? sources.newest : (usable[0]?.ordinal ?? 0);
  const next = firstTurn(state, newest, snapshotOrdinals);
  const ownTurn = dueAt(state, newest, host, snapshotOrdinals);
  return { ...found, newest, ...(next === undefined ? {} : { next }), ownTurn };
}

type Found = Pick<StoreStatus, 'snapshots' | 'snapshotsReason' | 'unfinished'>;

async function lookAt(sources: AccountSources, check: boolean, signal: CancelSignal): Promise<Found> {
  if (sources.logId === undefined) return { snapshotsReason: 'the log was not opened yet' };
  try {
    return await within(sources.clock, check ? storeCheckMs : storeLookMs, signal, (limited) =>
      readAll(sources, check, limited),
    );
  } catch (error) {
    if (!isWeftError(error)) throw error;
    return { snapshotsReason: error.message };
  }
}

async function readAll(sources: AccountSources, check: boolean, signal: CancelSignal): Promise<Found> {
  const snapshots: SnapshotStatus[] = [];
  let unfinished = 0;
  for (const stored of await sources.log.snapshots.list(signal)) {
    if (stored.manifest === undefined) unfinished += 1;
    else snapshots.push(await statusOf(stored, stored.manifest, sources, check, signal));
  }
  snapshots.sort((a, b) => b.ordinal - a.ordinal || (a.id < b.id ? 1 : -1));
  return { snapshots, unfinished };
}

async function statusOf(
  { id }: StoredSnapshot,
  bytes: Uint8Array,
  sources: AccountSources,
  check: boolean,
  signal: CancelSignal,
): Promise<SnapshotStatus> {
  const manifest = await faultOr(async () => decodeManifest(bytes));
  const at = (ordinal: number) => ({ id, ordinal, records: sources.state.ordinal - ordinal });
  if (typeof manifest === 'string') return { ...at(ordinalOf(id)), fault: manifest };
  const { ordinal, position, host, at: madeAt, chunks, bytes: size } = manifest;
  const fault =
    manifest.id === id
      ? await faultOf(manifest, sources, check, signal)
      : `it has the manifest of ${manifest.id}`;
  const entries = manifest.logId === sources.logId ? sources.entriesSince(position) : undefined;
  return {
    ...at(ordinal),
    ...(entries === undefined ? {} : { entries }),
    host,
    at: madeAt,
    chunks,
    bytes: size,
    ...(fault === undefined ? {} : { fault }),
  };
}

async function faultOf(
  manifest: Manifest,
  { log, logId, compression }: AccountSources,
  check: boolean,
  signal: CancelSignal,
): Promise<string | undefined> {
  if (manifest.logId !== logId) return `it is of log ${manifest.logId}`;
  if (manifest.compression !== compression.name) return `it is packed with '${manifest.compression}'`;
  if (!check) return undefined;
  const read = await faultOr(() =>
    downloadSnapshot(manifest, { snapshots: log.snapshots, compression }, signal),
  );
  return typeof read === 'string' ? read : undefined;
}

/** What it gives, or in words why the snapshot cannot be used. */
async function faultOr<T extends object>(read: () => Promise<T>): Promise<T | string> {
  try {
    return await read();
  } catch (error) {
    if (isWeftError(error, 'bad-snapshot') || isWeftError(error, 'unknown-version')) return error.message;
    throw error;
  }
}

/** @throws WeftError `store-unreachable` when it takes longer; what `ask` throws */
async function within<T>(
  clock: Clock,
  ms: number,
  signal: CancelSignal,
  ask: (signal: CancelSignal) => Promise<T>,
): Promise<T> {
  using scope = cancelScope(signal);
  const late = clock.sleep(ms, scope.signal).then((): never => {
    throw new WeftError('store-unreachable', `The store did not say within ${ms} ms which snapshots it has`);
  });
  return await Promise.race([ask(scope.signal), late]);
}
