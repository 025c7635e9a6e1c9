/** An export made into a log, by no daemon: an operator with an empty store has none yet. */
import { openLog } from '../adapters/open-log.ts';
import { SystemClock } from '../adapters/system/clock.ts';
import { GzipCompression } from '../adapters/system/compression.ts';
import { createLogger } from '../adapters/system/logger.ts';
import { SystemRandom } from '../adapters/system/random.ts';
import { readExport } from '../core/bundle/export.ts';
import { WeftError } from '../core/errors.ts';
import { type EventLog, genesis } from '../core/log/event-log.ts';
import { beginSuccessor } from '../core/succession/begin-successor.ts';
import { type CommandLine, loadStore } from './configuration/load.ts';

/** What was made of it. */
export interface Imported {
  /** Without credentials. */
  readonly store: string;
  readonly logId: string;
  readonly ordinal: number;
  readonly stateHash: string;
  readonly hosts: number;
  readonly networks: number;
  readonly endpoints: number;
}

/**
 * Begins a log in an empty store. The file is read to its end before the store is touched.
 *
 * @param chunks the bytes of the export after decompression
 * @throws WeftError `bad-export`, `newer-export`, `bad-configuration`, `bad-store-url`, and what `beginSuccessor` throws
 */
export async function importStore(
  commandLine: CommandLine,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Imported> {
  const { store, secrets } = await loadStore(commandLine);
  const { header, state } = await readExport(chunks);
  const [clock, random, compression] = [new SystemClock(), new SystemRandom(), new GzipCompression()];
  const logger = createLogger({ level: 'error' });
  const log = await openLog(store, { clock, random, logger, secrets });
  const scope = new AbortController();
  try {
    const predecessor = { logId: header.logId, state, host: header.host, by: 'import' };
    const ports = { clock, random, compression };
    await requireEmpty(log, scope.signal);
    const { logId } = await beginSuccessor(log, predecessor, ports, scope.signal);
    const { ordinal, stateHash } = state;
    const { hosts, networks, endpoints } = state;
    return {
      store: log.url,
      logId,
      ordinal,
      stateHash,
      hosts: hosts.size,
      networks: networks.size,
      endpoints: endpoints.size,
    };
  } finally {
    scope.abort();
    await log.close();
  }
}

/** An import that finds its own work done once before is told so, like any other. */
async function requireEmpty(log: EventLog, signal: AbortSignal): Promise<void> {
  await log.open(signal);
  if ((await log.head(signal)) === genesis && (await log.snapshots.list(signal)).length === 0) return;
  throw new WeftError(
    'log-exists',
    `Cannot begin a log at ${log.url}: there is one already; nothing was changed, name an empty store or another prefix`,
  );
}
