/** Opening: find the log's identity, or write it where there is no log yet. */

import { WeftError } from '../../core/errors.ts';
import { noLogError, type WithoutLog } from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Random } from '../../core/ports/random.ts';
import { damaged, otherLog } from '../log-faults.ts';
import type { StoredKey } from './answers.ts';
import type { Connection } from './connection.ts';
import { type PlaceKeys, parseLogId } from './keys.ts';
import { identityTriesMax } from './limits.ts';
import { markBytes } from './segment.ts';
import { discardOperations, genesisOperations } from './transactions.ts';

export interface LogPlace {
  readonly keys: PlaceKeys;
  /** For messages. */
  readonly url: string;
}

/**
 * The identity of the log at that place.
 *
 * @throws ConsulCallError; WeftError `log-damaged` when there are entries but no identity, `no-log`
 */
export async function openLog(
  place: LogPlace,
  connection: Connection,
  random: Random,
  withoutLog: WithoutLog,
  signal: CancelSignal,
): Promise<LogId> {
  const { keys, url } = place;
  const look = () => connection.read(signal, (member, limits) => member.get(keys.identity, limits));
  const identity = await look();
  if (identity !== undefined) return readIdentity(place, identity);
  const names = await connection.read(signal, (member, limits) => member.names(keys.logs, limits));
  if (names.length === 0) {
    if (withoutLog === 'refuse') throw noLogError(url);
    const operations = genesisOperations(keys, random.hex(16) as LogId, random.hex(markBytes));
    // Repeating it on another member is safe: it writes only where nothing is.
    await connection.read(signal, (member, limits) => member.transact(operations, limits));
  }
  const written = await look();
  if (written === undefined) throw damaged(url, 'it has entries but no identity');
  return readIdentity(place, written);
}

/**
 * Removes the log, in one transaction. May be repeated, and may land late: it names the index of the identity that was read.
 *
 * @throws ConsulCallError; WeftError `log-mismatch`, `log-damaged`
 */
export async function discardLog(
  place: LogPlace,
  connection: Connection,
  logId: LogId,
  signal: CancelSignal,
): Promise<void> {
  const { keys, url } = place;
  for (let tries = 0; tries < identityTriesMax; tries += 1) {
    const identity = await connection.read(signal, (member, limits) => member.get(keys.identity, limits));
    if (identity === undefined) return;
    const found = readIdentity(place, identity);
    if (found !== logId) throw otherLog(url, logId, found);
    const operations = discardOperations(keys.of(logId), identity.modifyIndex);
    if ((await connection.repeat(operations, signal)).type === 'done') return;
  }
  throw new WeftError(
    'store-unreachable',
    `Cannot discard the log at ${url}: its identity was written anew while this tried; try again.`,
  );
}

function readIdentity(place: LogPlace, { key, value }: StoredKey): LogId {
  const logId = parseLogId(value);
  if (logId !== undefined) return logId;
  throw new WeftError(
    'log-damaged',
    `Cannot open the log at ${place.url}: the key ${key} holds no identity that this version knows; ` +
      'give another prefix, or use a newer weft.',
  );
}
