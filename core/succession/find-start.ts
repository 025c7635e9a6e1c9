/**
 * Where a host begins to follow a log, and the proof that the log goes on from what the host had.
 *
 * A host that stands just where the log's first record says needs nothing else: its own state is what the log goes on from.
 * Any other one takes a snapshot. Which logs led to it is part of a state, so the snapshot shows whether the log that the
 * host has followed is one of them, and at which record it ended; and the fold's memory of records shows whether the host's
 * own are among those that led there.
 */
import { isWeftError, WeftError } from '../errors.ts';
import { initialState } from '../fold/predefined.ts';
import { goesOnFrom } from '../fold/record-memory.ts';
import type { State } from '../fold/state.ts';
import { type EventLog, genesis, type Position } from '../log/event-log.ts';
import type { LogId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compression } from '../ports/compression.ts';
import { downloadSnapshot, listSnapshots } from '../snapshot/download.ts';
import type { Manifest } from '../snapshot/manifest.ts';
import { type Beginning, firstRecordOf } from './first-record.ts';

/** What a host has followed before. */
export interface Followed {
  readonly logId: LogId;
  readonly state: State;
  /** Logs of the same cluster before it, where the state does not say. */
  readonly past?: readonly LogId[];
}

export interface Start {
  readonly position: Position;
  readonly state: State;
  /** Ordinal of the newest snapshot of the log; 0 where there is none. */
  readonly newestSnapshot: number;
}

export interface StartPorts {
  readonly clock: Clock;
  readonly compression: Compression;
  /** Told of every snapshot that cannot be used. */
  skip(reason: string): void;
}

/**
 * @param logId of the log, which is open
 * @param followed undefined for a host that never followed a log
 * @throws WeftError `not-ready` where the log was not begun to its end yet: look again; `log-mismatch` where it does not
 *   go on from what was followed; `host-ahead` where it goes on from an earlier record than the last that the host
 *   knows, or from others; what the store fails with
 */
export async function findStart(
  log: EventLog,
  logId: LogId,
  followed: Followed | undefined,
  ports: StartPorts,
  signal: CancelSignal,
): Promise<Start> {
  const manifests = await manifestsOf(log, logId, ports, signal);
  const newestSnapshot = manifests[0]?.ordinal ?? 0;
  const start =
    (await startAtSnapshot(log, logId, followed, manifests, ports, signal)) ??
    (await startAtGenesis(log, logId, followed, manifests, ports, signal));
  return { ...start, newestSnapshot };
}

/**
 * The same for a host that follows that very log, or never followed one: the newest snapshot ahead of it, or the log's
 * first entry, which says by itself whether it can be folded.
 */
export async function findOwnStart(
  log: EventLog,
  logId: LogId,
  ports: StartPorts,
  signal: CancelSignal,
): Promise<Start> {
  const manifests = await manifestsOf(log, logId, ports, signal);
  const start = await startAtSnapshot(log, logId, undefined, manifests, ports, signal);
  const newestSnapshot = manifests[0]?.ordinal ?? 0;
  return { ...(start ?? { position: genesis, state: initialState() }), newestSnapshot };
}

/** Newest first. */
async function manifestsOf(
  log: EventLog,
  logId: LogId,
  ports: StartPorts,
  signal: CancelSignal,
): Promise<readonly Manifest[]> {
  return (await listSnapshots(log.snapshots, ports.skip, signal)).filter((manifest) => {
    if (manifest.logId !== logId) ports.skip(`snapshot ${manifest.id} is of log ${manifest.logId}`);
    return manifest.logId === logId;
  });
}

async function startAtSnapshot(
  log: EventLog,
  logId: LogId,
  followed: Followed | undefined,
  manifests: readonly Manifest[],
  ports: StartPorts,
  signal: CancelSignal,
): Promise<Omit<Start, 'newestSnapshot'> | undefined> {
  const own = followed?.state.ordinal ?? 0;
  for (const manifest of manifests) {
    if (manifest.position === genesis || manifest.ordinal <= own) continue;
    const state = await downloaded(log, manifest, ports, signal);
    if (state === undefined) continue;
    requireContinued(log, logId, state, followed);
    return { position: manifest.position, state };
  }
  return undefined;
}

async function startAtGenesis(
  log: EventLog,
  logId: LogId,
  followed: Followed | undefined,
  manifests: readonly Manifest[],
  ports: StartPorts,
  signal: CancelSignal,
): Promise<Omit<Start, 'newestSnapshot'>> {
  const isOwn = followed === undefined || followed.logId === logId;
  const first = await firstRecordOf(log, ports.clock, signal).catch((error: unknown) => {
    // Whoever follows it from there is told so.
    if (isOwn && isWeftError(error, 'log-trimmed')) return 'other' as const;
    throw error;
  });
  if (typeof first !== 'object') {
    if (isOwn) return { position: genesis, state: initialState() };
    throw first === 'empty' ? notBegun(log.url, 'nobody has begun it') : foreign(log.url, logId, followed);
  }
  const end = first.body.succeeds;
  if (followed?.logId === end.logId) {
    const { state } = followed;
    if (isEnd(state, end)) return { position: genesis, state };
    if (state.ordinal >= end.ordinal) throw aheadError(log.url, logId, end.ordinal, followed, first.host);
  }
  for (const manifest of manifests) {
    if (manifest.position !== genesis || !isEnd(manifest, end)) continue;
    const state = await downloaded(log, manifest, ports, signal);
    if (state === undefined) continue;
    if (followed?.logId !== end.logId) requireContinued(log, logId, begun(state, end), followed);
    else requireSameHistory(log, logId, state, end.ordinal, followed);
    return { position: genesis, state };
  }
  throw notBegun(log.url, 'the snapshot that it goes on from is not there, or cannot be used');
}

/** The state as it is once the first record is folded, as far as the course goes. */
function begun(state: State, { logId, ordinal, recordHash }: Beginning['body']['succeeds']): State {
  const past = [...state.course.past, { logId: logId as LogId, ordinal, recordHash }];
  return { ...state, course: { ...state.course, past } };
}

interface End {
  readonly ordinal: number;
  readonly recordHash: string;
  readonly stateHash: string;
}

function isEnd(a: End, b: End): boolean {
  return a.ordinal === b.ordinal && a.recordHash === b.recordHash && a.stateHash === b.stateHash;
}

/** Undefined where it is damaged: another one may do. */
async function downloaded(
  { snapshots }: EventLog,
  manifest: Manifest,
  { compression, skip }: StartPorts,
  signal: CancelSignal,
): Promise<State | undefined> {
  try {
    return await downloadSnapshot(manifest, { snapshots, compression }, signal);
  } catch (error) {
    if (!isWeftError(error, 'bad-snapshot') && !isWeftError(error, 'unknown-version')) throw error;
    skip(error.message);
    return undefined;
  }
}

/** @param later what the log leads to @throws WeftError `log-mismatch`, `host-ahead` */
function requireContinued(log: EventLog, logId: LogId, later: State, followed?: Followed): void {
  if (followed === undefined) return;
  const { state } = followed;
  if (followed.logId === logId) {
    if (!hasSameHistory(later, state)) throw otherRecords(log.url, followed);
    return;
  }
  const end = later.course.past.find((past) => past.logId === followed.logId);
  if (end === undefined) return requireRelated(log, logId, later, followed);
  const isOther = end.ordinal === state.ordinal && end.recordHash !== state.recordHash;
  if (end.ordinal < state.ordinal || isOther) throw aheadError(log.url, logId, end.ordinal, followed);
  requireSameHistory(log, logId, later, end.ordinal, followed);
}

/**
 * The log goes on from one that the host's own went on from too: it was written back a second time, over the host's own log,
 * by another host that knew more of the one before. Whoever started anew since knows nothing that would be lost.
 *
 * @throws WeftError `log-mismatch`, `host-ahead`
 */
function requireRelated(log: EventLog, logId: LogId, { course }: State, followed: Followed): void {
  const { state, past = [] } = followed;
  const own = new Set([...past, ...state.course.past.map((each) => each.logId)]);
  const common = course.past.findLast((each) => own.has(each.logId));
  if (common === undefined) throw foreign(log.url, logId, followed);
  if (state.ordinal > 0)
    throw aheadError(log.url, logId, common.ordinal, { ...followed, logId: common.logId });
}

/**
 * A host may have fewer records than the log goes on from, and yet some of its own: it has followed a backup of the old log
 * that went on by itself.
 *
 * @throws WeftError `host-ahead`
 */
function requireSameHistory(
  log: EventLog,
  logId: LogId,
  later: State,
  end: number,
  followed: Followed,
): void {
  if (!hasSameHistory(later, followed.state)) throw aheadError(log.url, logId, end, followed);
}

/** As far as the later state remembers records; whoever lags further behind is not told apart. */
function hasSameHistory(later: State, { memory }: State): boolean {
  return goesOnFrom(later.memory, later.ordinal, memory);
}

/** @param found id of the log in the store @param ordinal of the record from which it goes on */
function aheadError(
  url: string,
  found: LogId,
  ordinal: number,
  followed: Followed,
  host?: string,
): WeftError {
  const { logId, state } = followed;
  const by = host === undefined ? '' : ` by host '${host}'`;
  return new WeftError(
    'host-ahead',
    `The log at ${url} was begun anew${by} from record ${ordinal} of log ${logId}, and this host knows another record ` +
      `${state.ordinal}, which would be lost; nothing was changed here: keep it with \`weft store export\`, and to go on ` +
      `from this host run \`weft store reseed --discard-log ${found}\` here; or restart this daemon to give it up`,
    { details: { ordinal: state.ordinal } },
  );
}

function foreign(url: string, logId: LogId, followed: Followed): WeftError {
  return new WeftError(
    'log-mismatch',
    `The store ${url} holds log ${logId}, which does not go on from log ${followed.logId} that this host has followed ` +
      `up to record ${followed.state.ordinal}`,
    { details: { logId: followed.logId, found: logId } },
  );
}

function otherRecords(url: string, { logId, state }: Followed): WeftError {
  return new WeftError(
    'log-mismatch',
    `The log ${logId} at ${url} has other records than this host has followed up to record ${state.ordinal}: it is a ` +
      'backup that went on by itself',
    { details: { logId, found: logId } },
  );
}

function notBegun(url: string, why: string): WeftError {
  return new WeftError('not-ready', `The log at ${url} cannot be followed yet: ${why}`);
}
