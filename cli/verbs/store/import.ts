import type { Command } from 'commander';
import { exportKind } from '../../../core/bundle/export.ts';
import { readBundleFile } from '../../bundle-file.ts';
import type { Context } from '../../context.ts';

const help = `
Asks no daemon, and needs none: it begins a log in the store that --store or the file of --config names, which must be empty,
with the state of the export, reads it back and compares the hashes. Daemons that are started with that store then find every
host, network and endpoint, and go on counting where the export stands. What happened in the old cluster after it was exported is
not in it: stop the daemons of the old store first.`;

interface Options {
  readonly store?: string;
  readonly config?: string;
}

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('import')
    .description('begin a log in an empty store with what an export holds')
    .argument('<file>', "that 'weft store export' made")
    .option('--store <url>', 'the empty store, as the daemon is given it')
    .option('--config <file>', "the daemon's YAML file, for the store's credentials and certificates")
    .addHelpText('after', help)
    .action(async (path: string, { store, config }: Options) => {
      const { importStore } = await context.loadDaemon();
      const made = await importStore(
        { flags: store === undefined ? {} : { store }, ...(config !== undefined && { file: config }) },
        readBundleFile(path, exportKind),
      );
      await context.print(made, () => {
        const { ordinal, logId, hosts, networks, endpoints } = made;
        const what = `${hosts} hosts, ${networks} networks, ${endpoints} endpoints`;
        return `${made.store}: log ${logId} at ordinal ${ordinal}, with ${what}\n`;
      });
    });
}
