/**
 * Removing a log from its store. The node that every append and every write beside the log compares goes first, so nothing is
 * added any more; then all that lies below, and at last the log's own node together with the identity. Who dies in between
 * leaves an identity that names the log, and whoever comes next goes on.
 *
 * All of it lies below a node that is named for the log: what lands late, after another log has begun, finds nothing there.
 */
import type { LogId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { damaged, otherLog } from '../log-faults.ts';
import type { Channel, MultiOp } from './channel.ts';
import { zkCode } from './errors.ts';
import { type LogPlace, readIdentityAlone } from './identity.ts';
import { discardNodes, discardTriesMax } from './limits.ts';

/** @throws ZookeeperCallError; WeftError `log-mismatch`, `log-damaged` */
export async function discardLog(
  place: LogPlace,
  channel: Channel,
  logId: LogId,
  signal: CancelSignal,
): Promise<void> {
  const { keys, url } = place;
  // What a new session sees may be old: a transaction first, which nothing refuses.
  await channel.multi([{ type: 'check', path: '/' }], signal);
  for (let left = discardTriesMax; left > 0; left -= 1) {
    const found = await readIdentityAlone(place, channel, signal);
    if (found === undefined) return;
    if (found !== logId) throw otherLog(url, logId, found);
    const { root, open } = keys.log(logId);
    await channel.multi([{ type: 'delete', path: open }], signal);
    await removeBelow(root, channel, signal);
    const last: readonly MultiOp[] = [
      { type: 'delete', path: root },
      { type: 'delete', path: keys.logId },
    ];
    // Refused where another one was faster, or where something was put below that was under way.
    if ((await channel.multi(last, signal)).type === 'done') return;
  }
  throw damaged(url, `nodes of the log ${logId} cannot be removed`);
}

async function removeBelow(path: string, channel: Channel, signal: CancelSignal): Promise<void> {
  const found = await channel.children(path, signal);
  const paths = (found?.names ?? []).map((name) => `${path}/${name}`);
  for (let start = 0; start < paths.length; start += discardNodes)
    await removeAll(paths.slice(start, start + discardNodes), channel, signal);
}

/** Those that have children after these. One that is gone is no hindrance. */
async function removeAll(paths: readonly string[], channel: Channel, signal: CancelSignal): Promise<void> {
  const remove = (path: string): MultiOp => ({ type: 'delete', path });
  const outcome = await channel.multi(paths.map(remove), signal);
  if (outcome.type === 'done') return;
  for (const path of paths) {
    const alone = await channel.multi([remove(path)], signal);
    if (alone.type === 'done' || alone.code === zkCode.noNode) continue;
    await removeBelow(path, channel, signal);
    await channel.multi([remove(path)], signal);
  }
}
