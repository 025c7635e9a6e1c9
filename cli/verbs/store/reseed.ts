import type { Command } from 'commander';
import { snapshotWaitMs } from '../../../api/limits.ts';
import type { Context } from '../../context.ts';
import { UsageError } from '../../usage.ts';

const help = `
For a store that was wiped, or lost and made anew: hosts that run have noticed and hold everything as it is ('weft status').
This begins a log in the store from what the host that is asked knows; all hosts go on in it by themselves, with every network and
endpoint, at the same ordinal. Ask the host whose ordinal is the highest: where another one was seen further, by its beats, the
command is refused, unless by --force; and a host that knows more than the new log stays frozen and says so. Several hosts may be
asked at once, and the first decides.

A store that has a log is left as it is, unless --discard-log names it: where it is an old backup, or what a host began in the
emptied store, and nobody needs it. Its id is in the message that refuses the command, and in 'weft status' of a host that follows
it. That log is then removed, with its snapshots; hosts that follow it go on in the new one where that goes on from it, and stop
where it does not.`;

interface Options {
  readonly force?: true;
  readonly discardLog?: string;
}

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('reseed')
    .description('write a log that was lost back into its store, from the host that is asked')
    .option('--force', 'also where another host was seen further in the log: what only it knows is given up')
    .option('--discard-log <id>', 'remove this log, which is in the store now, before')
    .addHelpText('after', help)
    .action(async ({ force, discardLog }: Options) => {
      if (discardLog !== undefined) requireLogId(discardLog);
      const body = { force: force === true, ...(discardLog === undefined ? {} : { discard: discardLog }) };
      const made = await context.call('reseedStore', { body }, snapshotWaitMs);
      await context.print(made, () => {
        const { store, logId, succeeds, ordinal, host } = made;
        return `${store}: log ${logId} goes on from record ${ordinal} of log ${succeeds}, written by host ${host}\n`;
      });
    });
}

function requireLogId(text: string): void {
  if (/^[0-9a-f]{32}$/.test(text)) return;
  throw new UsageError(
    `--discard-log ${JSON.stringify(text)} is no id of a log: give its 32 digits, as the refusal of the command says them`,
  );
}
