/** `weft store status`: what lies beside the log in the store. The verbs of `weft store` are one file each. */
import type { Command } from 'commander';
import type { StoreView } from '../../../api/index.ts';
import type { Context } from '../../context.ts';
import { shortSnapshotId } from '../../output/id.ts';
import { formatLines } from '../../output/lines.ts';
import { recordsText } from '../../output/record.ts';
import { formatSize } from '../../output/size.ts';
import { formatTable } from '../../output/table.ts';
import { formatMoment } from '../../output/time.ts';
import { lagText, storeText } from '../status.ts';

interface Options {
  readonly check?: true;
}

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('status')
    .description('the snapshots in the store, how much lies behind them, and whose turn the next one is')
    .option('--check', 'read every snapshot through, instead of what says what it is alone')
    .action(async ({ check }: Options) => {
      const view = await context.call('storeStatus', check === true ? { query: { check: 'true' } } : {});
      await context.print(view, () => statusText(view));
    });
}

function statusText(view: StoreView): string {
  const { store, snapshots } = view;
  const lines = formatLines([
    ['Store', storeText(store)],
    ['Log', store.logId ?? 'not known yet'],
    ['Ordinal', `${view.ordinal}${lagText(view)}`],
    ['Snapshots', countsText(view)],
    ...behindLines(view),
    ['Next', nextText(view)],
  ]);
  return snapshots === undefined || snapshots.length === 0 ? lines : `${lines}\n${tableOf(snapshots)}`;
}

function countsText({ snapshots, snapshotsReason, unfinished = 0, newest }: StoreView): string {
  if (snapshots === undefined) {
    const known =
      newest === 0
        ? 'this host has heard of none'
        : `the newest that this host knows is of ordinal ${newest}`;
    return `not known (${snapshotsReason ?? 'the store did not say'}); ${known}`;
  }
  const faulty = snapshots.filter(({ fault }) => fault !== undefined).length;
  return [
    `${snapshots.length - faulty} in the store`,
    ...(faulty > 0 ? [`${faulty} that cannot be used`] : []),
    ...(unfinished > 0 ? [`${unfinished} unfinished`] : []),
  ].join(', ');
}

type Line = readonly [string, string];

function behindLines({ snapshots = [] }: StoreView): readonly Line[] {
  const usable = snapshots.filter(({ fault }) => fault === undefined);
  const [newest] = usable;
  const oldest = usable.at(-1);
  if (newest === undefined || oldest === undefined) return [];
  const line = (which: string, { ordinal, records, entries }: typeof newest): Line => {
    const inEntries = entries === undefined ? '' : ` in ${entries} ${entries === 1 ? 'entry' : 'entries'}`;
    const behind =
      records < 0
        ? `${recordsText(-records)} ahead of this host`
        : `${recordsText(records)}${inEntries} behind it`;
    return [which, `of ordinal ${ordinal}, ${behind}`];
  };
  return newest === oldest ? [line('Newest', newest)] : [line('Newest', newest), line('Oldest', oldest)];
}

function nextText({ ordinal, next, ownTurn }: StoreView): string {
  if (next === undefined) return 'nobody has joined yet';
  const when = (at: number): string =>
    at > ordinal ? `at ordinal ${at}, in ${recordsText(at - ordinal)}` : `due since ordinal ${at}`;
  const turn = `${when(next.ordinal)}: turn of host ${next.host}`;
  // No two hosts have their turns at the same ordinal.
  return next.ordinal === ownTurn ? `${turn}, which this is` : `${turn}; of this host ${when(ownTurn)}`;
}

function tableOf(snapshots: NonNullable<StoreView['snapshots']>): string {
  const rows = snapshots.map(({ id, ordinal, records, host, at, bytes, fault }) => [
    shortSnapshotId(id),
    String(ordinal),
    String(records),
    host ?? '-',
    at === undefined ? '-' : formatMoment(at),
    bytes === undefined ? '-' : formatSize(bytes),
    fault ?? 'yes',
  ]);
  return formatTable(['SNAPSHOT', 'ORDINAL', 'BEHIND', 'HOST', 'WHEN', 'SIZE', 'USABLE'], rows);
}
