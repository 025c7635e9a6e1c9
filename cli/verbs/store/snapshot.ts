import type { Command } from 'commander';
import { snapshotWaitMs } from '../../../api/limits.ts';
import type { Context } from '../../context.ts';
import { formatSize } from '../../output/size.ts';

const help = `
Hosts make snapshots by turns, by themselves; this makes one more, for instance before another host joins. It is read back
before it counts. The log is then trimmed behind the older of the two newest, and older snapshots are dropped.`;

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('snapshot')
    .description('make a snapshot of the state now, on the host that is asked')
    .addHelpText('after', help)
    .action(async () => {
      const made = await context.call('makeSnapshot', {}, snapshotWaitMs);
      await context.print(made, () => {
        const { id, ordinal, chunks, bytes } = made;
        const parts = `${chunks} ${chunks === 1 ? 'chunk' : 'chunks'}, ${formatSize(bytes)}`;
        return `Snapshot of ordinal ${ordinal}: ${parts}, id ${id}\n`;
      });
    });
}
