/** `weft host ls`. The verbs of `weft host` are one file each. */
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { formatTable } from '../../output/table.ts';
import { formatSpan } from '../../output/time.ts';
import { warnIfStale } from '../../standing.ts';

interface Options {
  readonly quiet?: true;
}

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('ls')
    .alias('list')
    .description('list the hosts; * marks the one that answers')
    .option('-q, --quiet', 'names only')
    .action(async ({ quiet }: Options) => {
      const list = await context.call('listHosts');
      warnIfStale(context, list);
      if (quiet) {
        context.streams.out(list.items.map(({ name }) => `${name}\n`).join(''));
        return;
      }
      await context.print(list.items, () => {
        const rows = list.items.map((host) => [
          host.self ? `${host.name} *` : host.name,
          host.address,
          host.state,
          host.seenAgoMs === undefined ? 'never' : `${formatSpan(host.seenAgoMs)} ago`,
          host.ordinal === undefined ? '' : String(host.ordinal),
          String(host.mtu),
          String(host.epoch),
          String(host.endpoints),
          host.version,
        ]);
        return formatTable(
          ['HOST', 'ADDRESS', 'STATE', 'SEEN', 'ORDINAL', 'MTU', 'EPOCH', 'ENDPOINTS', 'VERSION'],
          rows,
        );
      });
    });
}
