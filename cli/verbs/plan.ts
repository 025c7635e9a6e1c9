/**
 * `weft plan COMMAND`: what a changing command would do, without doing it. The command is the one that it plans, with its
 * own arguments and mistakes; only where it would ask the daemon for a change, it asks what would come of it.
 */
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { UsageError } from '../usage.ts';

/** The arguments of the command that is to be planned; undefined where the command line is no `weft plan`. */
export function plannedCommand(argv: readonly string[]): readonly string[] | undefined {
  const at = argv.findIndex((word, index) => !word.startsWith('-') && !takesValue(argv[index - 1]));
  if (argv[at] !== 'plan' || argv.length === at + 1 || argv[at + 1]?.startsWith('-') === true)
    return undefined;
  return [...argv.slice(0, at), ...argv.slice(at + 1)];
}

export function addVerb(program: Command, _context: Context): void {
  program
    .command('plan')
    .description('show what a changing command would do on each host, and change nothing')
    .argument('[command...]', 'e.g. network create red, or network connect red web')
    .action(() => {
      throw new UsageError(
        'weft plan takes a command that changes something, e.g. weft plan network create red',
      );
    });
}

/** Of the options that may stand before a command. */
function takesValue(word: string | undefined): boolean {
  return word === '--socket' || word === '--format';
}
