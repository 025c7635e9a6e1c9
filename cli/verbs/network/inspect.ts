import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { forEach } from '../../several.ts';
import { dockerNetwork } from './docker-network.ts';

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('inspect')
    .description('show networks with their endpoints, in the shape of docker network inspect')
    .argument('<network...>', 'names, ids or id prefixes')
    .action(async (refs: readonly string[]) => {
      const found = await forEach(context, refs, (ref) =>
        context.call('inspectNetwork', { params: { ref } }),
      );
      await context.printDocument(found.map(dockerNetwork));
    });
}
