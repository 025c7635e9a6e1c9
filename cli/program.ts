/**
 * The tree of verbs. What a command line does not name is there with its name and description alone, so that `--help`
 * is whole; a group's files are loaded when the command line names it.
 */
import { Command, Option } from 'commander';
import { socketDefault } from '../api/socket.ts';
import { version } from '../api/version.ts';
import { Context, formats, type GlobalOptions, type LoadDaemon, type Streams } from './context.ts';

interface Branch {
  readonly description: string;
  /** A group of verbs below a word of their own. */
  readonly group?: () => Promise<{ readonly addVerbs: AddVerbs }>;
  /** One verb. */
  readonly verb?: () => Promise<{ readonly addVerb: AddVerbs }>;
}

type AddVerbs = (parent: Command, context: Context) => void;

const branches: Readonly<Record<string, Branch>> = {
  network: { description: 'manage networks', group: () => import('./verbs/network/group.ts') },
  endpoint: { description: 'manage endpoints', group: () => import('./verbs/endpoint/group.ts') },
  host: { description: 'manage hosts', group: () => import('./verbs/host/group.ts') },
  status: { description: 'where the daemon stands', verb: () => import('./verbs/status.ts') },
  log: { description: 'the last records of the log', verb: () => import('./verbs/log.ts') },
  doctor: { description: 'what is wrong on this host', verb: () => import('./verbs/doctor.ts') },
  daemon: { description: 'run the daemon', verb: () => import('./verbs/daemon.ts') },
  completion: { description: 'completion for a shell', verb: () => import('./verbs/completion.ts') },
};

export interface Program {
  readonly command: Command;
  readonly context: Context;
}

/** @param argv the arguments after the program's name; `undefined` loads the whole tree */
export async function createProgram(
  argv: readonly string[] | undefined,
  streams: Streams,
  loadDaemon: LoadDaemon,
): Promise<Program> {
  const program = new Command('weft')
    .description('multi-host container networks on a log that you already run')
    .version(`weft ${version}`, '--version', 'print the version')
    .addOption(
      new Option('--socket <path>', `socket of the daemon (default: ${socketDefault})`).env('WEFT_SOCKET'),
    )
    .addOption(new Option('--format <format>', 'how to print').choices(formats))
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.out(text),
      writeErr: (text) => streams.err(text),
      // Said once, in weft's own form, where the error is caught.
      outputError: () => undefined,
    });
  const context = new Context(streams, loadDaemon, () => program.opts<GlobalOptions>());
  for (const [name, branch] of Object.entries(branches)) {
    await addBranch(program, context, name, branch, argv === undefined || argv.includes(name));
  }
  return { command: program, context };
}

async function addBranch(
  program: Command,
  context: Context,
  name: string,
  branch: Branch,
  named: boolean,
): Promise<void> {
  if (!named) program.command(name).description(branch.description);
  else if (branch.verb !== undefined) (await branch.verb()).addVerb(program, context);
  else if (branch.group !== undefined) {
    (await branch.group()).addVerbs(program.command(name).description(branch.description), context);
  }
}
