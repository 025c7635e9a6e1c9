import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { forEach } from '../../several.ts';

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('inspect')
    .description('show all that is known of hosts')
    .argument('<host...>', 'names')
    .action(async (names: readonly string[]) => {
      const found = await forEach(context, names, (name) =>
        context.call('inspectHost', { params: { name } }),
      );
      await context.printDocument(found);
    });
}
