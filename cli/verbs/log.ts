/** `weft log`: one line a record, with what the fold decided on it. */
import type { Command } from 'commander';
import type { HistoryItemView } from '../../api/index.ts';
import type { Context } from '../context.ts';
import { outcomeText, whatText } from '../output/record.ts';
import { formatTable } from '../output/table.ts';
import { formatMoment } from '../output/time.ts';
import { warnIfStale } from '../standing.ts';
import { numeral } from '../usage.ts';

interface Options {
  readonly after?: string;
  readonly number?: string;
}

export function addVerb(program: Command, context: Context): void {
  program
    .command('log')
    .description('the last records of the log: who asked for what, and what came of it')
    .option('--after <ordinal>', 'only records after this one')
    .option('-n, --number <count>', 'the newest so many (default: 100)')
    .action(async ({ after, number }: Options) => {
      const query = {
        ...(after !== undefined && { after: numeral('--after', after) }),
        ...(number !== undefined && { limit: numeral('--number', number) }),
      };
      const list = await context.call('log', { query });
      warnIfStale(context, list);
      await context.print(list.items, () => {
        return formatTable(['ORDINAL', 'WHEN', 'HOST', 'WHO', 'WHAT', 'OUTCOME'], list.items.map(rowOf));
      });
    });
}

function rowOf(item: HistoryItemView): string[] {
  const { record } = item;
  const who =
    record === undefined
      ? ['-', '-', '-', 'bytes that are no record']
      : [formatMoment(record.at), record.host, record.by, whatText(record.kind, record.body)];
  return [String(item.ordinal), ...who, outcomeText(item)];
}
