/** `--dry-run` of a command that changes something: the same as `weft plan` before it. */
import type { Command } from 'commander';
import type { Context } from '../context.ts';

export function withDryRun(command: Command, context: Context): Command {
  return command
    .option('--dry-run', 'show what it would do on each host, and change nothing')
    .hook('preAction', (_program, action) => {
      if (action.opts<{ dryRun?: true }>().dryRun === true) context.isPlan = true;
    });
}
