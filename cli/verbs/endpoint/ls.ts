/** `weft endpoint ls`. The verbs of `weft endpoint` are one file each; endpoints of all hosts are theirs. */
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { shortId } from '../../output/id.ts';
import { formatTable } from '../../output/table.ts';
import { warnIfStale } from '../../standing.ts';

interface Options {
  readonly network?: string;
  readonly trunc: boolean;
  readonly quiet?: true;
}

const head = ['ENDPOINT ID', 'NAME', 'NETWORK', 'HOST', 'SANDBOX', 'INTERFACE', 'MAC', 'ADDRESSES'];

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('ls')
    .alias('list')
    .description('list the endpoints of all hosts')
    .option('--network <network>', 'those of one network')
    .option('--no-trunc', 'do not shorten ids')
    .option('-q, --quiet', 'ids only')
    .action(async ({ network, trunc, quiet }: Options) => {
      const list = await context.call('listEndpoints', network === undefined ? {} : { query: { network } });
      warnIfStale(context, list);
      const idOf = (id: string): string => (trunc ? shortId(id) : id);
      if (quiet) {
        context.streams.out(list.items.map(({ id }) => `${idOf(id)}\n`).join(''));
        return;
      }
      await context.print(list.items, () => {
        const rows = list.items.map((endpoint) => [
          idOf(endpoint.id),
          endpoint.name ?? '-',
          endpoint.networkName,
          endpoint.host,
          endpoint.sandbox.ref,
          endpoint.ifname ?? '-',
          endpoint.mac ?? '-',
          endpoint.addresses.join(',') || '-',
        ]);
        return formatTable(head, rows);
      });
    });
}
