/** Where the entries that the log still has begin: what a bundle of a trimmed log has in place of those before. */
import { isWeftError, WeftError } from '../errors.ts';
import { type EventLog, genesis } from '../log/event-log.ts';
import type { LogId, SnapshotId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compression } from '../ports/compression.ts';
import type { Logger } from '../ports/logger.ts';
import { blockBytesMax, linesOf } from '../snapshot/blocks.ts';
import { downloadSnapshot, listSnapshots } from '../snapshot/download.ts';
import type { Manifest } from '../snapshot/manifest.ts';
import { firstRecordOf } from '../succession/first-record.ts';
import type { LogPlace } from './control.ts';
import { readEntries } from './entry-pages.ts';

export interface LogStartPorts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly compression: Compression;
}

/** As `Control.logStart`. The store says what it has: positions cannot be compared, so each possible start is tried. */
export async function findLogStart(
  ports: LogStartPorts,
  logId: LogId | undefined,
  until: LogPlace,
  signal: CancelSignal,
): Promise<Manifest | undefined> {
  const { log, logger, compression } = ports;
  const trimmed = await whyNotFrom(genesis, ports, until, signal);
  const first = trimmed === undefined ? await firstRecordOf(log, ports.clock, signal) : undefined;
  if (trimmed === undefined && typeof first !== 'object') return undefined;
  const skip = (reason: string): void => logger.warn('a snapshot cannot be used', { reason });
  const { snapshots } = log;
  for (const manifest of [...(await listSnapshots(snapshots, skip, signal))].reverse()) {
    if (manifest.logId !== logId || manifest.ordinal > until.ordinal) continue;
    const end = typeof first === 'object' ? first.body.succeeds.recordHash : undefined;
    if (manifest.position === genesis && manifest.recordHash !== end) continue;
    if ((await whyNotFrom(manifest.position, ports, until, signal)) !== undefined) continue;
    try {
      await downloadSnapshot(manifest, { snapshots, compression }, signal);
      return manifest;
    } catch (error) {
      if (!isWeftError(error, 'bad-snapshot') && !isWeftError(error, 'unknown-version')) throw error;
      skip(error.message);
    }
  }
  throw new WeftError(
    'log-trimmed',
    `The log was trimmed, and no snapshot at or before record ${until.ordinal} can be used in place of what is gone: ` +
      'see `weft store status`',
    trimmed === undefined ? {} : { cause: trimmed },
  );
}

/** Why the log cannot be read on from a position: it was trimmed further. Undefined where it can. */
async function whyNotFrom(
  after: LogPlace['position'],
  { log, clock }: LogStartPorts,
  { position }: LogPlace,
  signal: CancelSignal,
): Promise<WeftError | undefined> {
  try {
    await readEntries(log, clock, { after, until: position }, signal, 1);
    return undefined;
  } catch (error) {
    if (isWeftError(error, 'log-trimmed')) return error;
    throw error;
  }
}

/** As `Control.snapshotLines`: one chunk, which is whole lines. */
export async function readSnapshotLines(
  { log, compression }: LogStartPorts,
  id: SnapshotId,
  chunk: number,
  signal: CancelSignal,
): Promise<readonly string[]> {
  const bytes = await log.snapshots.getChunk(id, chunk, signal);
  if (bytes !== undefined) return linesOf(await compression.expand(bytes, blockBytesMax));
  throw new WeftError(
    'bad-snapshot',
    `Cannot use the snapshot: ${id} has no chunk ${chunk} any more; see \`weft store status\``,
  );
}
