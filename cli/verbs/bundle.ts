/** `weft bundle`: one file with what a bug report needs. */
import type { Command } from 'commander';
import { writeBundleFile, writeBundleOut } from '../bundle-file.ts';
import { bundleLines, type Told } from '../bundle-lines.ts';
import type { Context } from '../context.ts';

interface Options {
  readonly output?: string;
}

const help = `
The file has the host's whole log (of one that was trimmed, the snapshot that it goes on from and what follows), what the daemon says of itself (status, configuration, hashes, repairs, its last
log lines) and the kernel objects of weft that it finds now. 'weft replay FILE' lives the log again, on any machine.

It has no password, token, key or environment. It does have what users wrote: names, labels, options, addresses and who
asked. They are not redacted, because a replay needs the log to the byte. Read it before you send it: zcat FILE | less`;

export function addVerb(program: Command, context: Context): void {
  program
    .command('bundle')
    .description(
      'make a file for a bug report: the log, the state of this host and its kernel objects, no secrets',
    )
    .option(
      '-o, --output <file>',
      'where to, - for standard output (default: weft-bundle-HOST-TIME.ndjson.gz)',
    )
    .addHelpText('after', help)
    .action(async ({ output }: Options) => {
      const evidence = await context.call('evidence');
      const madeAt = `${new Date().toISOString().slice(0, 19)}Z`;
      const path =
        output ?? `weft-bundle-${evidence.status.host}-${madeAt.replaceAll(/[-:]/g, '')}.ndjson.gz`;
      const told: Told = { entries: 0 };
      const lines = bundleLines(context, evidence, madeAt, told);
      if (path === '-') await writeBundleOut(context.streams, lines);
      else {
        await writeBundleFile(path, lines);
        context.streams.out(`${path}\n`);
      }
      if (told.brokenOff !== undefined) {
        const { ordinal } = evidence;
        context.fail(
          `the bundle has ${told.entries} entries, not all up to ordinal ${ordinal}: ${told.brokenOff.message}`,
          told.brokenOff.code,
        );
      }
      if (told.snapshotOrdinal !== undefined)
        context.warn(
          `the log was trimmed: the bundle begins with a snapshot, records up to ${told.snapshotOrdinal} are not in it`,
        );
      if (path !== '-')
        context.warn('the bundle has what users wrote, such as labels: read it before you send it');
    });
}
