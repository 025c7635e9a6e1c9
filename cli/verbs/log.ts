/** `weft log`: one line a record, with what the fold decided on it. */
import type { Command } from 'commander';
import type { HistoryItemView } from '../../api/index.ts';
import { historyItemsDefault } from '../../api/limits.ts';
import type { Context } from '../context.ts';
import { outcomeText, whatText } from '../output/record.ts';
import { formatTable } from '../output/table.ts';
import { formatMoment } from '../output/time.ts';
import { warnIfStale } from '../standing.ts';
import { numeral } from '../usage.ts';

interface Listed {
  readonly ordinal: number;
  readonly items: readonly HistoryItemView[];
}

interface Options {
  readonly after?: string;
  readonly number?: string;
}

export function addVerb(program: Command, context: Context): void {
  program
    .command('log')
    .description('the last records of the log: who asked for what, and what came of it')
    .option('--after <ordinal>', 'only records after this one')
    .option('-n, --number <count>', `the newest so many (default: ${historyItemsDefault})`)
    .action(async ({ after, number }: Options) => {
      const query = {
        ...(after !== undefined && { after: numeral('--after', after) }),
        ...(number !== undefined && { limit: numeral('--number', number) }),
      };
      const list = await context.call('log', { query });
      warnIfStale(context, list);
      for (const gap of gapsIn(list, Number(after ?? 0), Number(number ?? historyItemsDefault)))
        context.warn(gap);
      await context.print(list.items, () => {
        return formatTable(['ORDINAL', 'WHEN', 'HOST', 'WHO', 'WHAT', 'OUTCOME'], list.items.map(rowOf));
      });
    });
}

/**
 * What the list leaves out, where a host went on from a snapshot: it never saw the records before. Those that were not
 * asked for are no gap.
 */
function gapsIn({ ordinal: end, items }: Listed, after: number, limit: number): readonly string[] {
  const gaps: string[] = [];
  // With as many as were asked for, older ones may have been left out for that alone.
  let known = items.length < limit ? after : (items[0]?.ordinal ?? end + 1) - 1;
  for (const { ordinal } of [...items, { ordinal: end + 1 }]) {
    if (ordinal > known + 1) gaps.push(gapText(known + 1, ordinal - 1));
    known = Math.max(known, ordinal);
  }
  return gaps;
}

function gapText(from: number, to: number): string {
  const what = from === to ? `record ${from} is` : `records ${from} to ${to} are`;
  return `${what} not known on this host, which went on from a snapshot behind ${from === to ? 'it' : 'them'}`;
}

function rowOf(item: HistoryItemView): string[] {
  const { record } = item;
  const who =
    record === undefined
      ? ['-', '-', '-', 'bytes that are no record']
      : [formatMoment(record.at), record.host, record.by, whatText(record.kind, record.body)];
  return [String(item.ordinal), ...who, outcomeText(item)];
}
