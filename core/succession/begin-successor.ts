/**
 * Begins a log where another one ended: the state as a snapshot that stands before the first entry, and then the first
 * entry, whose one record says which log it succeeds and at which record.
 *
 * Many may do so at once, from one state or from several: the order of the log decides. Its first entry is what counts,
 * and every other beginning in it is refused by the fold. So nothing is locked, and whoever finds a log that was not begun
 * to its end begins it anew.
 */
import { isWeftError, WeftError } from '../errors.ts';
import type { State } from '../fold/state.ts';
import { backoffMs } from '../log/backoff.ts';
import { encodeEntry } from '../log/entry.ts';
import { type EventLog, genesis } from '../log/event-log.ts';
import { type LogRecord, recordVersion } from '../log/record.ts';
import { encodeRecord } from '../log/record-codec.ts';
import type { EntryId, LogId, RecordId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compression } from '../ports/compression.ts';
import type { Random } from '../ports/random.ts';
import { beginAttemptsMax, beginPauses } from '../snapshot/defaults.ts';
import { downloadSnapshot } from '../snapshot/download.ts';
import { uploadSnapshot } from '../snapshot/upload.ts';
import { type Beginning, beginningOf } from './first-record.ts';

export interface BeginPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly compression: Compression;
}

/** What a log goes on from. */
export interface Predecessor {
  readonly logId: LogId;
  /** As it was led to by the log's last entry. */
  readonly state: State;
  /** Whose replica it is, and who asked, for people. */
  readonly host: string;
  readonly by: string;
}

/** A log that has begun, and who was first to begin it. */
export interface Successor {
  readonly logId: LogId;
  readonly beginning: Beginning;
}

/**
 * Resolves once the log has begun where the predecessor ended, by this call or by another one. Opens the log.
 *
 * @throws WeftError `log-exists` where the store has a log that goes on from something else: it was left as it is; what
 *   `EventLog.open`, `append` and `SnapshotStore` throw in the end
 */
export async function beginSuccessor(
  log: EventLog,
  predecessor: Predecessor,
  ports: BeginPorts,
  signal: CancelSignal,
): Promise<Successor> {
  const { clock } = ports;
  const persist = <T>(write: () => Promise<T>): Promise<T> => persistently(write, ports, signal);
  const logId = await persist(() => log.open(signal));
  const isFresh = (await persist(() => beginningOf(log, clock, signal))) === 'empty';
  const written = isFresh ? await writeSnapshot(log, logId, predecessor, ports, signal) : undefined;
  if (isFresh) await persist(() => log.append(draftOf(logId, predecessor, ports), signal));
  const first = await persist(() => beginningOf(log, clock, signal));
  if (typeof first === 'object' && succeeds(first, predecessor)) return { logId, beginning: first };
  if (written !== undefined) await persist(() => log.snapshots.drop(written, signal));
  throw beganOtherwise(log.url, logId, first);
}

/** Whether a log goes on from just this state. */
export function succeeds(
  { body }: Beginning,
  { logId, state }: Pick<Predecessor, 'logId' | 'state'>,
): boolean {
  const { succeeds: end } = body;
  const isSame = end.recordHash === state.recordHash && end.stateHash === state.stateHash;
  return end.logId === logId && end.ordinal === state.ordinal && isSame;
}

/** Written and read back before anything says that it is there. */
async function writeSnapshot(
  { snapshots }: EventLog,
  logId: LogId,
  { state, host }: Predecessor,
  ports: BeginPorts,
  signal: CancelSignal,
) {
  const { clock, random, compression } = ports;
  const source = { state, position: genesis, logId, host, at: Math.trunc(clock.wallMs()) };
  const persist = <T>(write: () => Promise<T>): Promise<T> => persistently(write, ports, signal);
  const manifest = await uploadSnapshot(source, { snapshots, compression, random, persist }, signal);
  await persist(() => downloadSnapshot(manifest, { snapshots, compression }, signal));
  return manifest.id;
}

function draftOf(logId: LogId, { logId: before, state, host, by }: Predecessor, ports: BeginPorts) {
  const { ordinal, recordHash, stateHash } = state;
  const record: LogRecord = {
    v: recordVersion,
    id: ports.random.hex(16) as RecordId,
    host,
    epoch: 0,
    base: ordinal,
    at: Math.trunc(ports.clock.wallMs()),
    by,
    kind: 'log-begin',
    body: { logId, succeeds: { logId: before, ordinal, recordHash, stateHash } },
  };
  const bytes = encodeEntry([encodeRecord(record)]);
  return { id: ports.random.hex(16) as EntryId, base: ordinal, bytes };
}

/** For calls that may be repeated: tries on while they fail for what passes. */
export async function persistently<T>(
  call: () => Promise<T>,
  { clock, random }: BeginPorts,
  signal: CancelSignal,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await call();
    } catch (error) {
      const isPassing = isWeftError(error, 'store-unreachable') || isWeftError(error, 'outcome-unknown');
      if (!isPassing || signal.aborted || failures >= beginAttemptsMax) throw error;
    }
    await clock.sleep(backoffMs(failures, beginPauses, random), signal);
  }
}

function beganOtherwise(url: string, logId: LogId, first: Beginning | 'empty' | 'other'): WeftError {
  const what =
    typeof first === 'object'
      ? `log ${logId}, which host '${first.host}' has begun from record ${first.body.succeeds.ordinal} of log ` +
        first.body.succeeds.logId
      : `log ${logId}`;
  return new WeftError(
    'log-exists',
    `Cannot begin a log at ${url}: it has ${what} already; nothing was changed there: name an empty store or another ` +
      `prefix, or, where nobody needs what is in it, write back with \`weft store reseed --discard-log ${logId}\``,
  );
}
