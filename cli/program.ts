/**
 * The tree of verbs. What a command line does not name is there with its name and description alone, so that `--help`
 * is whole; a verb's file is loaded when the command line names it. Loading them all would take longer than most verbs do.
 */
import { Command, Option } from 'commander';
import { socketDefault } from '../api/socket.ts';
import { version } from '../api/version.ts';
import { Context, formats, type GlobalOptions, type LoadDaemon, type Streams } from './context.ts';

type Verb = () => Promise<{ readonly addVerb: (parent: Command, context: Context) => void }>;

/** A word at the top: one verb, or a group of verbs by their names and aliases. */
interface Branch {
  readonly description: string;
  readonly verb?: Verb;
  readonly verbs?: Readonly<Record<string, Verb>>;
}

const branches: Readonly<Record<string, Branch>> = {
  network: {
    description: 'manage networks',
    verbs: {
      create: () => import('./verbs/network/create.ts'),
      'ls|list': () => import('./verbs/network/ls.ts'),
      inspect: () => import('./verbs/network/inspect.ts'),
      'rm|remove': () => import('./verbs/network/rm.ts'),
      prune: () => import('./verbs/network/prune.ts'),
      connect: () => import('./verbs/network/connect.ts'),
      disconnect: () => import('./verbs/network/disconnect.ts'),
    },
  },
  endpoint: {
    description: 'manage endpoints',
    verbs: {
      'ls|list': () => import('./verbs/endpoint/ls.ts'),
      inspect: () => import('./verbs/endpoint/inspect.ts'),
      'rm|remove': () => import('./verbs/endpoint/rm.ts'),
    },
  },
  host: {
    description: 'manage hosts',
    verbs: {
      'ls|list': () => import('./verbs/host/ls.ts'),
      inspect: () => import('./verbs/host/inspect.ts'),
      'rm|remove': () => import('./verbs/host/rm.ts'),
    },
  },
  store: {
    description: 'look at the store, and take what is in it elsewhere',
    verbs: {
      status: () => import('./verbs/store/status.ts'),
      snapshot: () => import('./verbs/store/snapshot.ts'),
      reseed: () => import('./verbs/store/reseed.ts'),
      copy: () => import('./verbs/store/copy.ts'),
      export: () => import('./verbs/store/export.ts'),
      import: () => import('./verbs/store/import.ts'),
    },
  },
  plan: { description: 'show what a change would do', verb: () => import('./verbs/plan.ts') },
  status: { description: 'where the daemon stands', verb: () => import('./verbs/status.ts') },
  log: { description: 'the last records of the log', verb: () => import('./verbs/log.ts') },
  doctor: { description: 'what is wrong on this host', verb: () => import('./verbs/doctor.ts') },
  bundle: { description: 'make a file for a bug report', verb: () => import('./verbs/bundle.ts') },
  replay: { description: 'live the log of such a file again', verb: () => import('./verbs/replay.ts') },
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
    if (argv !== undefined && !argv.includes(name)) program.command(name).description(branch.description);
    else await addBranch(program, context, name, branch, argv ?? []);
  }
  return { command: program, context };
}

async function addBranch(
  program: Command,
  context: Context,
  name: string,
  { description, verb, verbs = {} }: Branch,
  argv: readonly string[],
): Promise<void> {
  if (verb !== undefined) {
    (await verb()).addVerb(program, context);
    return;
  }
  const group = program.command(name).description(description);
  const named = Object.entries(verbs).filter(([names]) =>
    names.split('|').some((word) => argv.includes(word)),
  );
  // Where no verb is named the group's help is wanted, or a word that is like one of them.
  for (const [, load] of named.length > 0 ? named : Object.entries(verbs))
    (await load()).addVerb(group, context);
}
