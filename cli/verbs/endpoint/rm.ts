import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { forEach } from '../../several.ts';
import { withDryRun } from '../dry-run.ts';

export function addVerb(parent: Command, context: Context): void {
  withDryRun(parent.command('rm'), context)
    .alias('remove')
    .description('remove endpoints of any host; prints what was removed')
    .argument('<endpoint...>', 'ids, NETWORK/NAME, names or id prefixes')
    .action(async (refs: readonly string[]) => {
      await forEach(context, refs, async (ref) => {
        await context.call('removeEndpoint', { params: { ref } });
        context.streams.out(`${ref}\n`);
      });
    });
}
