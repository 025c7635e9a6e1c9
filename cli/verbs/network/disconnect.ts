import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { withDryRun } from '../dry-run.ts';

export function addVerb(parent: Command, context: Context): void {
  withDryRun(parent.command('disconnect'), context)
    .description('detach a sandbox of this host, or an endpoint of any host')
    .argument('<network>', 'name, id or id prefix')
    .argument('<sandbox|endpoint>', "sandbox of this host, or an endpoint's name, id or id prefix")
    .action(async (network: string, ref: string) => {
      const endpoint = await context.call('disconnect', { params: { ref: network }, body: { ref } });
      await context.print(endpoint, () => '');
    });
}
