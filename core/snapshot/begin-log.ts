/**
 * Begins a log with the state that another one had led to: a snapshot of it, and nothing before that could be folded.
 *
 * The log gets one entry without records, by which the snapshot says where it stands, and is trimmed behind it before
 * the snapshot is there. So a host that comes by in between, or later where the snapshot is damaged, stops for want of one,
 * and never takes the log for one that begins with nothing.
 */
import { isWeftError, WeftError } from '../errors.ts';
import type { State } from '../fold/state.ts';
import { backoffMs } from '../log/backoff.ts';
import { type EventLog, genesis } from '../log/event-log.ts';
import type { EntryId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compression } from '../ports/compression.ts';
import type { Random } from '../ports/random.ts';
import { beginAttemptsMax, beginPauses } from './defaults.ts';
import { downloadSnapshot } from './download.ts';
import type { Manifest } from './manifest.ts';
import { uploadSnapshot } from './upload.ts';

export interface BeginPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly compression: Compression;
}

/**
 * Resolves with the snapshot once it was read back and is of the state's hash. The log is opened by it.
 *
 * @param host whose state it is, for people
 * @throws WeftError `log-exists` where the store has a log that is not empty: nothing was changed; what `EventLog.open`,
 *   `append`, `trim` and `SnapshotStore` throw in the end
 */
export async function beginLog(
  log: EventLog,
  { state, host }: { readonly state: State; readonly host: string },
  ports: BeginPorts,
  signal: CancelSignal,
): Promise<Manifest> {
  const { clock, random, compression } = ports;
  const { snapshots } = log;
  const logId = await log.open(signal);
  if ((await log.head(signal)) !== genesis || (await snapshots.list(signal)).length > 0)
    throw notEmpty(log.url);
  const persist = <T>(write: () => Promise<T>): Promise<T> => persistently(write, ports, signal);
  const marker = { id: random.hex(16) as EntryId, base: state.ordinal, bytes: new Uint8Array(0) };
  const position = await persist(() => log.append(marker, signal));
  await persist(() => log.trim(position, signal));
  const source = { state, position, logId, host, at: Math.trunc(clock.wallMs()) };
  const manifest = await uploadSnapshot(source, { snapshots, compression, random, persist }, signal);
  const read = await downloadSnapshot(manifest, { snapshots, compression }, signal);
  if (read.stateHash === state.stateHash && (await log.head(signal)) === position) return manifest;
  throw new WeftError(
    'log-mismatch',
    `Somebody else wrote to ${log.url} while a log was begun there: stop what uses it, empty it and begin again`,
  );
}

/** Every write here may be repeated. */
async function persistently<T>(
  write: () => Promise<T>,
  { clock, random }: BeginPorts,
  signal: CancelSignal,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await write();
    } catch (error) {
      const isPassing = isWeftError(error, 'store-unreachable') || isWeftError(error, 'outcome-unknown');
      if (!isPassing || signal.aborted || failures >= beginAttemptsMax) throw error;
    }
    await clock.sleep(backoffMs(failures, beginPauses, random), signal);
  }
}

function notEmpty(url: string): WeftError {
  return new WeftError(
    'log-exists',
    `Cannot begin a log at ${url}: there is one already; nothing was changed, name an empty store or another prefix`,
  );
}
