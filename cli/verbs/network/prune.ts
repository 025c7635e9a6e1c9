/**
 * `weft network prune`, with Docker's words. Each network is removed by a request of its own, and one that somebody has
 * connected to meanwhile is refused by the log and stays: nothing is taken from under anyone.
 */
import type { Command } from 'commander';
import { isWeftError } from '../../../core/errors.ts';
import type { Context } from '../../context.ts';
import { parseFilters } from '../../filters.ts';
import { printable } from '../../output/table.ts';
import { forEach } from '../../several.ts';
import { collect } from '../../usage.ts';
import { withDryRun } from '../dry-run.ts';
import { pruneFilters } from './filters.ts';
import { usedNetworks } from './used-networks.ts';

interface Options {
  readonly filter?: readonly string[];
  readonly force?: true;
}

export function addVerb(parent: Command, context: Context): void {
  withDryRun(parent.command('prune'), context)
    .description('remove all networks that nothing is on; prints what was removed')
    .option('--filter <key=value>', 'only those with label=KEY[=VALUE], label!=… or until=MOMENT', collect)
    .option('-f, --force', 'do not ask')
    .action(async ({ filter = [], force }: Options) => {
      const isWanted = parseFilters(pruneFilters, filter);
      if (force !== true && !context.isPlan && !(await isConfirmed(context, filter))) return;
      const { networks } = await usedNetworks(context, true);
      const idle = networks.filter((item) => !item.isUsed && !item.network.predefined && isWanted(item));
      if (context.isPlan) {
        const remove = (ref: string) => context.call('removeNetwork', { params: { ref } });
        await forEach(
          context,
          idle.map(({ network }) => network.id),
          remove,
        );
      }
      const removed: string[] = [];
      for (const { network } of idle.toSorted((a, b) => (a.network.name < b.network.name ? -1 : 1))) {
        if (await isRemoved(context, network.id)) removed.push(network.name);
      }
      await context.print({ NetworksDeleted: removed }, () => {
        if (removed.length === 0) return '';
        return `Deleted Networks:\n${removed.map((name) => `${printable(name)}\n`).join('')}\n`;
      });
    });
}

/** False where it is in use by now, or gone already. Anything else is told, and the rest goes on. */
async function isRemoved(context: Context, id: string): Promise<boolean> {
  try {
    await context.call('removeNetwork', { params: { ref: id } });
    return true;
  } catch (error) {
    if (isWeftError(error, 'network-in-use') || isWeftError(error, 'no-such-network')) return false;
    throw error;
  }
}

/** Asks on standard error, so that the output is what was removed alone. Without an answer it is no. */
async function isConfirmed(context: Context, filters: readonly string[]): Promise<boolean> {
  const { streams } = context;
  streams.err('WARNING! This will remove all custom networks not used by at least one container.\n');
  if (filters.length > 0) {
    streams.err('\n  Items to be pruned will be filtered with:\n');
    for (const filter of filters) streams.err(`  - ${printable(filter)}\n`);
    streams.err('\n');
  }
  streams.err('Are you sure you want to continue? [y/N] ');
  for await (const line of streams.lines()) return line.trim().toLowerCase() === 'y';
  return false;
}
