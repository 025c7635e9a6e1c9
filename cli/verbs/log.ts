/** `weft log`: one line a record, with what the fold decided on it. */
import type { Command } from 'commander';
import type { HistoryItemView } from '../../api/index.ts';
import { historyItemsDefault } from '../../api/limits.ts';
import type { Context } from '../context.ts';
import { PagePrinter } from '../output/pages.ts';
import { outcomeText, whatText } from '../output/record.ts';
import { formatMoment, parseMoment } from '../output/time.ts';
import { warnIfStale } from '../standing.ts';
import { numeral, UsageError } from '../usage.ts';

interface Options {
  readonly all?: true;
  readonly after?: string;
  readonly since?: string;
  readonly number?: string;
}

/** Records of one page. */
const pageItems = 1_000;

const help = `
What the daemon has forgotten, or the log was trimmed of, comes from the host's archive: what this host has folded since it
is there, as long as there is room (--archive-mib of the daemon). Records that it does not have are told of.
--since goes by the clocks of the records' authors.`;

export function addVerb(program: Command, context: Context): void {
  program
    .command('log')
    .description('records of the log: who asked for what, and what came of it')
    .option('--all', 'all that this host knows of, from the oldest on')
    .option('--after <ordinal>', 'only records after this one; all of them where no --number is given')
    .option('--since <time>', 'only records since then: 2026-01-31, 2026-01-31T12:00Z, or 90m, 12h, 7d ago')
    .option('-n, --number <count>', `the newest so many (default: ${historyItemsDefault})`)
    .addHelpText('after', help)
    .action(async (options: Options) => {
      if (options.number !== undefined && (options.all === true || options.since !== undefined))
        throw new UsageError('--number goes with neither --all nor --since: leave one of them out');
      const isPaged = options.all ?? options.since ?? options.after;
      if (options.number !== undefined || isPaged === undefined) await printNewest(context, options);
      else await printPages(context, options);
    });
}

async function printNewest(context: Context, { after, number }: Options): Promise<void> {
  const query = {
    ...(after !== undefined && { after: numeral('--after', after) }),
    ...(number !== undefined && { limit: numeral('--number', number) }),
  };
  const { items, ordinal, storeReachable } = await context.call('log', { query });
  warnIfStale(context, { ordinal, storeReachable });
  // With as many as were asked for, older ones may have been left out for that alone.
  const isFull = items.length >= Number(number ?? historyItemsDefault);
  const gaps = new Gaps(context, isFull ? (items[0]?.ordinal ?? ordinal + 1) - 1 : Number(after ?? 0));
  gaps.pass(items);
  gaps.end(ordinal);
  await printed(context, items);
}

async function printed(context: Context, items: readonly HistoryItemView[]): Promise<void> {
  const printer = printerOf(context);
  await printer.add(items);
  await printer.end();
}

/** Everything from the oldest on, a page at a time. */
async function printPages(context: Context, { after, since }: Options): Promise<void> {
  const sinceMs = since === undefined ? 0 : parseMoment('--since', since);
  const printer = printerOf(context);
  let last = after === undefined ? '0' : numeral('--after', after);
  const gaps = new Gaps(context, Number(last));
  for (let isFirst = true; ; isFirst = false) {
    const query = { after: last, limit: String(pageItems), from: 'oldest' } as const;
    const { items, ordinal, storeReachable } = await context.call('log', { query });
    if (isFirst) warnIfStale(context, { ordinal, storeReachable });
    gaps.pass(items);
    await printer.add(items.filter(({ record }) => sinceMs === 0 || (record?.at ?? 0) >= sinceMs));
    const end = items.at(-1);
    if (end === undefined) {
      gaps.end(ordinal);
      break;
    }
    last = String(end.ordinal);
  }
  await printer.end();
}

function printerOf(context: Context): PagePrinter<HistoryItemView> {
  return new PagePrinter(context, ['ORDINAL', 'WHEN', 'HOST', 'WHO', 'WHAT', 'OUTCOME'], rowOf);
}

/** Says which records are left out, because this host has them nowhere. */
class Gaps {
  readonly #context: Context;
  #known: number;

  /** @param known those up to it were not asked for */
  constructor(context: Context, known: number) {
    this.#context = context;
    this.#known = known;
  }

  pass(items: readonly { readonly ordinal: number }[]): void {
    for (const { ordinal } of items) {
      if (ordinal > this.#known + 1) this.#context.warn(gapText(this.#known + 1, ordinal - 1));
      this.#known = Math.max(this.#known, ordinal);
    }
  }

  /** @param ordinal where the fold stands */
  end(ordinal: number): void {
    this.pass([{ ordinal: ordinal + 1 }]);
  }
}

function gapText(from: number, to: number): string {
  const what = from === to ? `record ${from} is` : `records ${from} to ${to} are`;
  return `${what} not known on this host: it came later, or its archive does not have ${from === to ? 'it' : 'them'}`;
}

function rowOf(item: HistoryItemView): string[] {
  const { record } = item;
  const who =
    record === undefined
      ? ['-', '-', '-', 'bytes that are no record']
      : [formatMoment(record.at), record.host, record.by, whatText(record.kind, record.body)];
  return [String(item.ordinal), ...who, outcomeText(item)];
}
