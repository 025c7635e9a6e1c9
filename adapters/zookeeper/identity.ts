/** Opening: find the log's identity, or write it where there is no log yet. */

import { WeftError } from '../../core/errors.ts';
import { noLogError, type WithoutLog } from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Random } from '../../core/ports/random.ts';
import { damaged } from '../log-faults.ts';
import type { Channel } from './channel.ts';
import { isLaterLayout, isLogName, type LogKeys, parseLogId } from './keys.ts';
import { genesisRequest } from './transactions.ts';

export interface LogPlace {
  readonly keys: LogKeys;
  /** For messages. */
  readonly url: string;
}

/**
 * The identity of the log at that place. It is read before it is written, so that who may only read can still open.
 *
 * @throws ZookeeperCallError; WeftError `log-damaged` when there is a log but no identity, or the other way round,
 *   `unknown-version`, `no-log`
 */
export async function openLog(
  place: LogPlace,
  channel: Channel,
  random: Random,
  withoutLog: WithoutLog,
  signal: CancelSignal,
): Promise<LogId> {
  // What a new session sees may be old: a transaction first, which nothing refuses.
  await channel.multi([{ type: 'check', path: '/' }], signal);
  const found = await readIdentity(place, channel, signal);
  if (found !== undefined) return found;
  if (withoutLog === 'refuse') throw noLogError(place.url);
  const { keys } = place;
  await makeFolders(keys.prefix, channel, signal);
  const logId = random.hex(16) as LogId;
  const outcome = await channel.multi(genesisRequest(keys, logId), signal);
  if (outcome.type === 'done') return logId;
  const other = await readIdentity(place, channel, signal);
  if (other !== undefined) return other;
  throw damaged(place.url, 'it has the nodes of a log but no identity');
}

async function readIdentity(
  place: LogPlace,
  channel: Channel,
  signal: CancelSignal,
): Promise<LogId | undefined> {
  const { keys, url } = place;
  const [identity, below] = await Promise.all([
    channel.read(keys.logId, signal),
    channel.children(keys.prefix, signal),
  ]);
  if (identity === undefined) {
    if (below?.names.some(isLogName) !== true) return undefined;
    // Perhaps another host made both in between.
    if ((await channel.exists(keys.logId, signal)) !== undefined) return readIdentity(place, channel, signal);
    throw damaged(url, 'it has a log but no identity');
  }
  const logId = parseLogId(identity.data);
  if (logId === undefined) throw unreadable(place, identity.data);
  if ((await channel.exists(keys.log(logId).open, signal)) !== undefined) return logId;
  throw damaged(url, `it has an identity, but the log ${logId} is gone`);
}

/** What the identity says, whether its log is there or not. @throws ZookeeperCallError; WeftError `log-damaged` */
export async function readIdentityAlone(
  place: LogPlace,
  channel: Channel,
  signal: CancelSignal,
): Promise<LogId | undefined> {
  const identity = await channel.read(place.keys.logId, signal);
  if (identity === undefined) return undefined;
  const logId = parseLogId(identity.data);
  if (logId === undefined) throw unreadable(place, identity.data);
  return logId;
}

function unreadable({ keys, url }: LogPlace, data: Buffer): WeftError {
  if (isLaterLayout(data)) {
    return new WeftError(
      'unknown-version',
      `Cannot open the log at ${url}: a newer weft has laid it out; use that one here too.`,
    );
  }
  return new WeftError(
    'log-damaged',
    `Cannot open the log at ${url}: the node ${keys.logId} holds no identity; give another prefix.`,
  );
}

/** Makes what is missing of the prefix, from the top. */
async function makeFolders(prefix: string, channel: Channel, signal: CancelSignal): Promise<void> {
  const names = prefix.split('/').slice(1);
  for (const [index] of names.entries()) {
    const path = `/${names.slice(0, index + 1).join('/')}`;
    if ((await channel.exists(path, signal)) === undefined) await channel.create(path, signal);
  }
}
