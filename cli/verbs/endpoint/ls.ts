/** `weft endpoint ls`. The verbs of `weft endpoint` are one file each; endpoints of all hosts are theirs. */
import type { Command } from 'commander';
import { endpointFilters } from '../../../api/endpoint-filters.ts';
import type { Context } from '../../context.ts';
import { checkFilters } from '../../filters.ts';
import { shortId } from '../../output/id.ts';
import { portsText } from '../../output/ports.ts';
import { formatTable } from '../../output/table.ts';
import { warnIfStale } from '../../standing.ts';
import { collect } from '../../usage.ts';

interface Options {
  readonly network?: string;
  readonly trunc: boolean;
  readonly filter?: readonly string[];
  readonly quiet?: true;
}

const head = ['ENDPOINT ID', 'NAME', 'NETWORK', 'HOST', 'SANDBOX', 'INTERFACE', 'MAC', 'ADDRESSES', 'PORTS'];

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('ls')
    .alias('list')
    .description('list the endpoints of all hosts')
    .option('--network <network>', 'those of one network')
    .option('--no-trunc', 'do not shorten ids')
    .option('-q, --quiet', 'ids only')
    .option(
      '-f, --filter <key=value>',
      'only those with host, id, name, network or sandbox, or with driver or label of their network',
      collect,
    )
    .action(async ({ network, trunc, quiet, filter = [] }: Options) => {
      checkFilters(endpointFilters, filter);
      const list = await context.call('listEndpoints', {
        query: { ...(network !== undefined && { network }), filter: [...filter] },
      });
      warnIfStale(context, list);
      const endpoints = list.items;
      const idOf = (id: string): string => (trunc ? shortId(id) : id);
      if (quiet) {
        context.streams.out(endpoints.map(({ id }) => `${idOf(id)}\n`).join(''));
        return;
      }
      await context.print(endpoints, () => {
        const rows = endpoints.map((endpoint) => [
          idOf(endpoint.id),
          endpoint.name ?? '-',
          endpoint.networkName,
          endpoint.host,
          endpoint.sandbox.ref,
          endpoint.ifname ?? '-',
          endpoint.mac ?? '-',
          endpoint.addresses.join(',') || '-',
          portsText(endpoint.ports) || '-',
        ]);
        return formatTable(head, rows);
      });
    });
}
