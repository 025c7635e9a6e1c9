import type { Command } from 'commander';
import { snapshotWaitMs } from '../../../api/limits.ts';
import type { Context } from '../../context.ts';

const help = `
For a store that was wiped, or lost and made anew: hosts that run have noticed and hold everything as it is ('weft status').
This begins a log in the store from what the host that is asked knows; all hosts go on in it by themselves, with every network and
endpoint, at the same ordinal. Ask the host whose ordinal is the highest: where another one was seen further, by its beats, the
command is refused, unless by --force; and a host that knows more than the new log stays frozen and says so. Several hosts may be
asked at once, and the first decides.

A store that has a log is left as it is. Where that is an old backup, or what a host began in the emptied store, and nobody needs
it, empty the store with its own tools first.`;

interface Options {
  readonly force?: true;
}

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('reseed')
    .description('write a log that was lost back into its store, from the host that is asked')
    .option('--force', 'also where another host was seen further in the log: what only it knows is given up')
    .addHelpText('after', help)
    .action(async ({ force }: Options) => {
      const made = await context.call('reseedStore', { body: { force: force === true } }, snapshotWaitMs);
      await context.print(made, () => {
        const { store, logId, succeeds, ordinal, host } = made;
        return `${store}: log ${logId} goes on from record ${ordinal} of log ${succeeds}, written by host ${host}\n`;
      });
    });
}
