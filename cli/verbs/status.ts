/** `weft status`: one line for each thing that may be wrong. */
import type { Command } from 'commander';
import type { StatusView } from '../../api/index.ts';
import type { Context } from '../context.ts';
import { formatLines } from '../output/lines.ts';
import { recordsText } from '../output/record.ts';
import { formatSpan } from '../output/time.ts';

export function addVerb(program: Command, context: Context): void {
  program
    .command('status')
    .description('where the daemon, its store, its fold and its data plane stand')
    .action(async () => {
      const status = await context.call('status');
      await context.print(status, () => statusText(status));
    });
}

function statusText(status: StatusView): string {
  const { store, dataplane } = status;
  return formatLines([
    [
      'Host',
      `${status.host} at ${status.address}${status.epoch === undefined ? '' : `, epoch ${status.epoch}`}`,
    ],
    ['Version', status.version],
    ['Phase', withReason(status.phase, status.phaseReason)],
    ['Store', storeText(store)],
    ...(store.configuredUrl === undefined ? [] : [movedLine(store.configuredUrl)]),
    ['Log', store.logId ?? 'not known yet'],
    ['Ordinal', `${status.ordinal}${lagText(status)}`],
    ...(store.snapshotOrdinal === undefined ? [] : [snapshotLine(status.ordinal, store.snapshotOrdinal)]),
    ['Record hash', status.recordHash],
    ['State hash', status.stateHash],
    ['Hosts', hostsText(status)],
    ['Networks', String(status.networks)],
    ['Endpoints', String(status.endpoints)],
    [
      'Kernel',
      `${dataplane.desired} objects, ${dataplane.pending} pending, ${auditText(dataplane.auditedAgoMs)}`,
    ],
    ['Writes', `${dataplane.writes} since the daemon started, of drift repaired: ${dataplane.repairs}`],
  ]);
}

function hostsText({ hosts, hostsDown }: StatusView): string {
  return hostsDown.length === 0 ? String(hosts) : `${hosts}, of them down: ${hostsDown.join(', ')}`;
}

export function storeText({ url, reachable, reason }: StatusView['store']): string {
  return `${url}: ${reachable ? 'reachable' : withReason('unreachable', reason)}`;
}

function movedLine(configured: string): readonly [string, string] {
  return [
    'Configured',
    `${configured}, which the cluster has left: change the store in the configuration of this host`,
  ];
}

function snapshotLine(ordinal: number, newest: number): readonly [string, string] {
  return ['Snapshot', `of ordinal ${newest}, ${recordsText(ordinal - newest)} behind it`];
}

function withReason(text: string, reason: string | undefined): string {
  return reason === undefined ? text : `${text} (${reason})`;
}

export function lagText({ caughtUp, caughtUpAgoMs }: Pick<StatusView, 'caughtUp' | 'caughtUpAgoMs'>): string {
  if (caughtUp === true) return ', at the end of the log';
  if (caughtUpAgoMs === undefined) return ', not caught up yet';
  const what =
    caughtUp === false ? 'behind the end of the log' : 'the store does not say whether there is more';
  return `, ${what}; was at the end ${formatSpan(caughtUpAgoMs)} ago`;
}

function auditText(agoMs: number | undefined): string {
  return agoMs === undefined ? 'not audited yet' : `audited ${formatSpan(agoMs)} ago`;
}
