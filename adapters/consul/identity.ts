/** Opening: find the log's identity, or write it where there is no log yet. */

import { WeftError } from '../../core/errors.ts';
import { noLogError, type WithoutLog } from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Random } from '../../core/ports/random.ts';
import { damaged } from '../log-faults.ts';
import type { StoredKey } from './answers.ts';
import type { Connection } from './connection.ts';
import { type PlaceKeys, parseLogId } from './keys.ts';
import { markBytes } from './segment.ts';
import { genesisOperations } from './transactions.ts';

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

function readIdentity(place: LogPlace, { key, value }: StoredKey): LogId {
  const logId = parseLogId(value);
  if (logId !== undefined) return logId;
  throw new WeftError(
    'log-damaged',
    `Cannot open the log at ${place.url}: the key ${key} holds no identity that this version knows; ` +
      'give another prefix, or use a newer weft.',
  );
}
