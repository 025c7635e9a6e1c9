import type { Command } from 'commander';
import { defaultSpace } from '../../../core/model/network.ts';
import type { Context } from '../../context.ts';
import { collect, parsePairs } from '../../usage.ts';
import { withDryRun } from '../dry-run.ts';

interface Options {
  readonly driver: string;
  readonly subnet?: readonly string[];
  readonly gateway?: readonly string[];
  readonly ipRange?: readonly string[];
  readonly auxAddress?: readonly string[];
  readonly ipv6?: true;
  readonly internal?: true;
  readonly addressSpace: string;
  readonly opt?: readonly string[];
  readonly label?: readonly string[];
}

export function addVerb(parent: Command, context: Context): void {
  withDryRun(parent.command('create'), context)
    .description('create a network on all hosts; prints its id')
    .argument('<name>', 'name of the network')
    .option('-d, --driver <driver>', 'overlay, bridge, macvlan or ipvlan', 'overlay')
    .option(
      '--subnet <cidr>',
      'subnet, e.g. 10.0.1.0/24; several may be given (default: the next free pool)',
      collect,
    )
    .option('--gateway <ip>', 'gateway of the subnet that contains it (default: its first address)', collect)
    .option('--ip-range <cidr>', 'part of the subnet that addresses are given from', collect)
    .option('--aux-address <name=ip>', 'address that is not given to endpoints', collect)
    .option('--ipv6', 'give endpoints IPv6 addresses')
    .option('--internal', 'no way to the outside world')
    .option('--address-space <name>', 'where addresses must be unique', defaultSpace)
    .option('-o, --opt <key=value>', 'option of the driver, e.g. parent=eth0.50', collect)
    .option('--label <key=value>', 'label', collect)
    .action(async (name: string, options: Options) => {
      // Loaded here: it brings the arithmetic of addresses with it, which help and mistakes do not need.
      const { pairSubnets } = await import('./subnets.ts');
      const network = await context.call('createNetwork', {
        body: {
          name,
          driver: options.driver,
          subnets: pairSubnets(options),
          ipv6: options.ipv6 ?? false,
          internal: options.internal ?? false,
          space: options.addressSpace,
          options: parsePairs('--opt', options.opt ?? []),
          labels: parsePairs('--label', options.label ?? []),
        },
      });
      for (const warning of network.warnings) context.warn(warning);
      await context.print(network, () => `${network.id}\n`);
    });
}
