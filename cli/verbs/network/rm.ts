import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { forEach } from '../../several.ts';
import { withDryRun } from '../dry-run.ts';

export function addVerb(parent: Command, context: Context): void {
  withDryRun(parent.command('rm'), context)
    .alias('remove')
    .description('remove networks that have no endpoints; prints what was removed')
    .argument('<network...>', 'names, ids or id prefixes')
    .action(async (refs: readonly string[]) => {
      await forEach(context, refs, async (ref) => {
        await context.call('removeNetwork', { params: { ref } });
        context.streams.out(`${ref}\n`);
      });
    });
}
