/** `weft network ls`, with Docker's columns. The verbs of `weft network` are one file each. */
import type { Command } from 'commander';
import { networkFilters } from '../../../api/network-filters.ts';
import type { Context } from '../../context.ts';
import { checkFilters } from '../../filters.ts';
import { shortId } from '../../output/id.ts';
import { formatTable } from '../../output/table.ts';
import { warnIfStale } from '../../standing.ts';
import { collect } from '../../usage.ts';

interface Options {
  /** False for --no-trunc. */
  readonly trunc: boolean;
  readonly filter?: readonly string[];
  readonly quiet?: true;
}

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('ls')
    .alias('list')
    .description('list the networks')
    .option('--no-trunc', 'do not shorten ids')
    .option('-q, --quiet', 'ids only')
    .option(
      '-f, --filter <key=value>',
      'only those with driver, id, label, name, scope, type (builtin, custom), dangling (true, false), label! or until',
      collect,
    )
    .action(async (options: Options) => {
      const { filter = [] } = options;
      checkFilters(networkFilters, filter);
      const list = await context.call('listNetworks', { query: { filter: [...filter] } });
      warnIfStale(context, list);
      const idOf = (id: string): string => (options.trunc ? shortId(id) : id);
      const networks = list.items.toSorted((a, b) => compare(a.name, b.name));
      if (options.quiet) {
        context.streams.out(networks.map(({ id }) => `${idOf(id)}\n`).join(''));
        return;
      }
      await context.print(networks, () => {
        const rows = networks.map(({ id, name, driver, scope }) => [idOf(id), name, driver, scope]);
        return formatTable(['NETWORK ID', 'NAME', 'DRIVER', 'SCOPE'], rows);
      });
    });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
