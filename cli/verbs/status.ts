/** `weft status`: one line for each thing that may be wrong. */
import type { Command } from 'commander';
import type { StatusView } from '../../api/index.ts';
import type { Context } from '../context.ts';
import { printable } from '../output/table.ts';
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
  const lines: readonly (readonly [string, string])[] = [
    [
      'Host',
      `${status.host} at ${status.address}${status.epoch === undefined ? '' : `, epoch ${status.epoch}`}`,
    ],
    ['Version', status.version],
    ['Phase', withReason(status.phase, status.phaseReason)],
    ['Store', `${store.url}: ${store.reachable ? 'reachable' : withReason('unreachable', store.reason)}`],
    ['Log', store.logId ?? 'not known yet'],
    ['Ordinal', `${status.ordinal}${lagText(status)}`],
    ['Record hash', status.recordHash],
    ['State hash', status.stateHash],
    ['Hosts', String(status.hosts)],
    ['Networks', String(status.networks)],
    ['Endpoints', String(status.endpoints)],
    [
      'Kernel',
      `${dataplane.desired} objects, ${dataplane.pending} pending, ${auditText(dataplane.auditedAgoMs)}`,
    ],
    ['Writes', `${dataplane.writes} since the daemon started, of drift repaired: ${dataplane.repairs}`],
  ];
  const width = Math.max(...lines.map(([name]) => name.length)) + 1;
  return lines.map(([name, value]) => `${`${name}:`.padEnd(width)} ${printable(value)}\n`).join('');
}

function withReason(text: string, reason: string | undefined): string {
  return reason === undefined ? text : `${text} (${reason})`;
}

function lagText({ caughtUp, caughtUpAgoMs }: StatusView): string {
  if (caughtUp === true) return ', at the end of the log';
  if (caughtUpAgoMs === undefined) return ', not caught up yet';
  const what =
    caughtUp === false ? 'behind the end of the log' : 'the store does not say whether there is more';
  return `, ${what}; was at the end ${formatSpan(caughtUpAgoMs)} ago`;
}

function auditText(agoMs: number | undefined): string {
  return agoMs === undefined ? 'not audited yet' : `audited ${formatSpan(agoMs)} ago`;
}
