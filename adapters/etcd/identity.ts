/** Opening: find the log's identity, or write it where there is no log yet. */

import type { ITxnRequest } from 'etcd3';
import { WeftError } from '../../core/errors.ts';
import { noLogError, type WithoutLog } from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Random } from '../../core/ports/random.ts';
import { damaged, otherLog } from '../log-faults.ts';
import type { Connection } from './connection.ts';
import { type LogKeys, parseLogId } from './keys.ts';
import { discardRequest, genesisRequest, kvsOf, readKey } from './transactions.ts';

export interface LogPlace {
  readonly keys: LogKeys;
  /** For messages. */
  readonly url: string;
}

/**
 * The identity of the log at that place. It is read before it is written: a store that is out of space refuses every
 * transaction that could write, also one that would not.
 *
 * @throws EtcdCallError; WeftError `log-damaged` when there are entries but no identity, `no-log`
 */
export async function openLog(
  place: LogPlace,
  connection: Connection,
  random: Random,
  withoutLog: WithoutLog,
  signal: CancelSignal,
): Promise<LogId> {
  const { keys } = place;
  const found = await connection.read(lookRequest(keys), signal);
  const identity = kvsOf(found, 0)[0];
  if (identity !== undefined) return readIdentity(place, identity.value);
  if (kvsOf(found, 1).length + kvsOf(found, 2).length > 0)
    throw damaged(place.url, 'it has entries but no identity');
  if (withoutLog === 'refuse') throw noLogError(place.url);
  const drawn = random.hex(16) as LogId;
  // Repeating it on another member is safe: it writes only where nothing is.
  const answer = await connection.read(genesisRequest(keys, drawn), signal);
  if (answer.succeeded) return drawn;
  const other = kvsOf(answer, 0)[0];
  if (other === undefined) throw damaged(place.url, 'it has entries but no identity');
  return readIdentity(place, other.value);
}

/**
 * Removes the log, in one transaction. May be repeated, and may land late: it names the log.
 *
 * @throws EtcdCallError; WeftError `log-mismatch`, `log-damaged`
 */
export async function discardLog(
  place: LogPlace,
  connection: Connection,
  logId: LogId,
  signal: CancelSignal,
): Promise<void> {
  const answer = await connection.read(discardRequest({ ...place, logId }), signal);
  if (answer.succeeded) return;
  const found = kvsOf(answer, 0)[0];
  if (found !== undefined) throw otherLog(place.url, logId, readIdentity(place, found.value));
}

function lookRequest(keys: LogKeys): ITxnRequest {
  const anyEntry = { key: keys.entries.start, range_end: keys.entries.end, keys_only: true, limit: 1 };
  return { success: [readKey(keys.logId), readKey(keys.head), { request_range: anyEntry }] };
}

function readIdentity(place: LogPlace, value: Buffer): LogId {
  const logId = parseLogId(value);
  if (logId !== undefined) return logId;
  throw new WeftError(
    'log-damaged',
    `Cannot open the log at ${place.url}: the key ${place.keys.logId.toString()} holds no identity that this version ` +
      'knows; give another prefix, or use a newer weft.',
  );
}
