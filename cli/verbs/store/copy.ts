import type { Command } from 'commander';
import { snapshotWaitMs } from '../../../api/limits.ts';
import type { Context } from '../../context.ts';
import { UsageError } from '../../usage.ts';

const help = `
The other store must be empty, and every host must reach it. A record in the present log tells all hosts to go on there: no
endpoint changes, and changes that are under way are carried over. A host that is off follows when it starts. The old store keeps
its log, which nobody writes to any more.

Credentials and certificates for the other store are read from each daemon's own configuration (stores: in the file of --config);
the URL has none. When 'weft status' says so on a host, change the store in its configuration.`;

interface Options {
  readonly to: string;
}

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('copy')
    .description('move the running cluster to another store')
    .requiredOption('--to <url>', 'the other store, as a daemon is given it')
    .addHelpText('after', help)
    .action(async ({ to }: Options) => {
      if (to === '') throw new UsageError('--to names no store: give the URL of an empty one');
      const made = await context.call('moveStore', { body: { to } }, snapshotWaitMs);
      await context.print(made, () => `The cluster goes on at ${made.store}, in log ${made.logId}\n`);
    });
}
