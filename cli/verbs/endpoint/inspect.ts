import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { forEach } from '../../several.ts';

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('inspect')
    .description('show all that is known of endpoints')
    .argument('<endpoint...>', 'ids, NETWORK/NAME, names or id prefixes')
    .action(async (refs: readonly string[]) => {
      const found = await forEach(context, refs, (ref) =>
        context.call('inspectEndpoint', { params: { ref } }),
      );
      await context.printDocument(found);
    });
}
