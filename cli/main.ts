/**
 * The command line of weft: Docker's words and habits over the daemon's API.
 *
 * Answers go to standard output, everything else to standard error. Exit status 0: done; 1: refused or failed; 2: the
 * command line is wrong. A failure is one line, `weft: MESSAGE (CODE)`.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Command, CommanderError } from 'commander';
import { isWeftError } from '../core/errors.ts';
import { type LoadDaemon, Planned, type Streams } from './context.ts';
import { printable } from './output/table.ts';
import { createProgram } from './program.ts';
import { UsageError } from './usage.ts';
import { plannedCommand } from './verbs/plan.ts';

export interface Outcome {
  readonly exitCode: number;
  /** The process must not wait for what is still open. */
  readonly exitNow: boolean;
}

const failed = 1;
const misused = 2;

/** Runs one command line. @param argv the arguments after the program's name */
export async function run(
  given: readonly string[],
  streams: Streams,
  loadDaemon: LoadDaemon,
): Promise<Outcome> {
  const planned = plannedCommand(given);
  const argv = planned ?? given;
  const { command, context } = await createProgram(argv, streams, loadDaemon);
  context.isPlan = planned !== undefined;
  try {
    await command.parseAsync([...argv], { from: 'user' });
    if (context.isPlan && context.exitCode === 0)
      context.warn('this command changes nothing, so there was nothing to plan');
    return { exitCode: context.exitCode, exitNow: context.exitNow };
  } catch (error) {
    if (error instanceof Planned) return { exitCode: context.exitCode, exitNow: context.exitNow };
    return { exitCode: report(error, command, argv, streams), exitNow: context.exitNow };
  }
}

/** Runs the process' command line and leaves its exit status behind. */
export async function main(loadDaemon: LoadDaemon): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read our output has had enough, as `weft log | head` does.
    process.exit(error.code === 'EPIPE' ? 0 : failed);
  });
  const streams: Streams = {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    drained,
    bytes: writeBytes,
    lines: () => createInterface({ input: process.stdin }),
  };
  const { exitCode, exitNow } = await run(process.argv.slice(2), streams, loadDaemon);
  process.exitCode = exitCode;
  if (exitNow) process.exit();
}

async function writeBytes(chunk: Uint8Array): Promise<void> {
  if (process.stdout.isTTY) throw new UsageError('a terminal cannot show these bytes: send them to a file');
  process.stdout.write(chunk);
  await drained();
}

async function drained(): Promise<void> {
  if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
}

/** Says what went wrong. @returns the exit status */
function report(error: unknown, program: Command, argv: readonly string[], streams: Streams): number {
  if (isCommanderError(error)) return reportUsage(error, program, argv, streams);
  if (error instanceof UsageError) {
    streams.err(`weft: ${printable(error.message)} (usage)\n`);
    return misused;
  }
  const [message, code] = isWeftError(error) ? [error.message, error.code] : [defectText(error), 'internal'];
  streams.err(`weft: ${printable(message)} (${code})\n`);
  return failed;
}

function reportUsage(
  error: CommanderError,
  program: Command,
  argv: readonly string[],
  streams: Streams,
): number {
  // --help and --version end by an exception as well.
  if (error.exitCode === 0) return 0;
  // A group without a verb: commander has printed its help.
  if (error.code === 'commander.help') return misused;
  const message = error.message
    .replace(/^error: /, '')
    .replace(/\n\((.*)\)$/, ' ($1)')
    .replace(/\.$/, '');
  streams.err(`weft: ${printable(message)}: see '${pathOf(program, argv)} --help' (usage)\n`);
  return misused;
}

function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('commander.');
}

/** The command that the arguments lead to, as one would write it. */
function pathOf(program: Command, argv: readonly string[]): string {
  const words = [program.name()];
  let current = program;
  for (const word of argv) {
    const next = current.commands.find(
      (command) => command.name() === word || command.aliases().includes(word),
    );
    if (next === undefined) continue;
    words.push(next.name());
    current = next;
  }
  return words.join(' ');
}

function defectText(error: unknown): string {
  return `A defect in weft: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
