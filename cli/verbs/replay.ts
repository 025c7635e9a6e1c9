/** `weft replay`: a bundle's log lived again, step by step, and what came of it. Exit status 1 when something differs. */
import type { Command } from 'commander';
import type { Opened, ReplayedEntry, ReplayedSnapshot, Verdict } from '../../replay/index.ts';
import { readBundleFile } from '../bundle-file.ts';
import type { Context } from '../context.ts';
import { entryText, openedText, snapshotText, verdictText, viewOf } from '../output/replay.ts';
import { numeral } from '../usage.ts';

interface Options {
  readonly to?: string;
  readonly step?: true;
  readonly host?: string;
}

const help = `
Needs no daemon, no store and no root, and changes nothing. Each record is shown with what the fold decided on it, and
under it, for one host, what that changes in the kernel in the words of ip and bridge.

At the end it says whether the log folds to the state that the daemon had (its hashes), and whether the kernel objects
that the daemon found are those that the log asks for. Exit status: 0 when both are so; 1 when not, or when the file does
not allow to tell.`;

export function addVerb(program: Command, context: Context): void {
  program
    .command('replay')
    .description('live the log of a bundle again on a kernel in memory, and compare with what was recorded')
    .argument('<bundle>', "file that 'weft bundle' made")
    .option('--to <ordinal>', 'the last record to fold (default: all)')
    .option('--step', 'wait for Enter after each entry; q ends')
    .option('--host <name>', "whose kernel to show (default: the bundle's host)")
    .addHelpText('after', help)
    .action(async (path: string, { to, step, host }: Options) => {
      const { replayBundle } = await import('../../replay/index.ts');
      const events = replayBundle(() => readBundleFile(path), {
        ...(to !== undefined && { to: Number(numeral('--to', to)) }),
        ...(host !== undefined && { host }),
      });
      const { format = 'table' } = context.options;
      if (format === 'table') await tell(context, events, step === true);
      else await print(context, events);
    });
}

type Events = AsyncIterable<Opened | ReplayedSnapshot | ReplayedEntry | Verdict>;

/** As it goes on, so that a long log shows at once, and one that ends in an error shows up to where. */
async function tell(context: Context, events: Events, step: boolean): Promise<void> {
  const { streams } = context;
  const answers = step ? streams.lines()[Symbol.asyncIterator]() : undefined;
  for await (const event of events) {
    if (event.type === 'opened') streams.out(openedText(event));
    else if (event.type === 'verdict') conclude(context, event, verdictText(event));
    else {
      streams.out(event.type === 'snapshot' ? snapshotText(event) : entryText(event));
      await streams.drained();
      if (answers === undefined) continue;
      streams.err('-- Enter: go on, q: end -- ');
      const answer = await answers.next();
      if (answer.done === true || answer.value.trim() === 'q') break;
    }
  }
  await answers?.return?.();
}

async function print(context: Context, events: Events): Promise<void> {
  const entries: unknown[] = [];
  let opened: Opened | undefined;
  let snapshot: object | undefined;
  for await (const event of events) {
    if (event.type === 'opened') opened = event;
    else if (event.type === 'entry') entries.push(viewOf(event));
    else if (event.type === 'snapshot') {
      const { ordinal, operations } = event;
      snapshot = { ...opened?.snapshot, ordinal, operations };
    } else {
      const { type: _type, ...verdict } = event;
      await context.printDocument({
        bundle: opened?.header,
        host: opened?.host,
        ...(snapshot !== undefined && { snapshot }),
        entries,
        verdict,
      });
      conclude(context, event, '');
    }
  }
}

function conclude(context: Context, verdict: Verdict, text: string): void {
  context.streams.out(text);
  if (!verdict.agrees) context.exitCode = 1;
}
