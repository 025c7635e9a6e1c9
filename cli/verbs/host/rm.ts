import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { forEach } from '../../several.ts';
import { withDryRun } from '../dry-run.ts';

export function addVerb(parent: Command, context: Context): void {
  withDryRun(parent.command('rm'), context)
    .alias('remove')
    .description('remove hosts that will not come back, and release their endpoints; prints what was removed')
    .argument('<host...>', 'names')
    .action(async (names: readonly string[]) => {
      await forEach(context, names, async (name) => {
        await context.call('removeHost', { params: { name } });
        context.streams.out(`${name}\n`);
      });
    });
}
