/** `weft network prune`, with Docker's words. */
import type { Command } from 'commander';
import type { Pruned } from '../../../api/index.ts';
import { pruneWaitMs } from '../../../api/limits.ts';
import { pruneFilters } from '../../../api/network-filters.ts';
import type { Context } from '../../context.ts';
import { checkFilters } from '../../filters.ts';
import { printable } from '../../output/table.ts';
import { forEach } from '../../several.ts';
import { collect } from '../../usage.ts';
import { withDryRun } from '../dry-run.ts';

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
      checkFilters(pruneFilters, filter);
      if (context.isPlan) return planEach(context, filter);
      if (force !== true && !(await isConfirmed(context, filter))) return;
      const input = { body: { filters: [...filter] } };
      const { removed, failure } = await context.call('pruneNetworks', input, pruneWaitMs);
      const names = removed.map(({ name }) => name);
      await context.print({ NetworksDeleted: names }, () => {
        if (names.length === 0) return '';
        return `Deleted Networks:\n${names.map((name) => `${printable(name)}\n`).join('')}\n`;
      });
      if (failure !== undefined) context.fail(failureText(failure), failure.code);
    });
}

function failureText({ network, detail }: NonNullable<Pruned['failure']>): string {
  return `Stopped before network '${network}', which is there still or is not known to be gone: ${detail}`;
}

/** A plan is of one change: that of each removal. */
async function planEach(context: Context, filters: readonly string[]): Promise<void> {
  const { items } = await context.call('listNetworks', { query: { filter: ['dangling=true', ...filters] } });
  const remove = (ref: string) => context.call('removeNetwork', { params: { ref } });
  await forEach(
    context,
    items.map(({ id }) => id),
    remove,
  );
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
