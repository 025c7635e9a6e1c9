import type { Command } from 'commander';
import type { EndpointView } from '../../../api/index.ts';
import type { Context } from '../../context.ts';
import { portsText } from '../../output/ports.ts';
import { printable } from '../../output/table.ts';
import { collect, integer, parsePairs } from '../../usage.ts';
import { withDryRun } from '../dry-run.ts';

interface Options {
  readonly name?: string;
  readonly alias?: readonly string[];
  readonly ip?: string;
  readonly ip6?: string;
  readonly macAddress?: string;
  readonly ifname?: string;
  readonly gwPriority?: number;
  readonly publish?: readonly string[];
  readonly linkLocalIp?: readonly string[];
  readonly route?: readonly string[];
  readonly driverOpt?: readonly string[];
  readonly quiet?: true;
}

export function addVerb(parent: Command, context: Context): void {
  withDryRun(parent.command('connect'), context)
    .description(
      'attach a sandbox of this host; prints "ADDRESSES MAC INTERFACE NAMES", with --publish also "PORTS"; several with commas, - for none',
    )
    .argument('<network>', 'name, id or id prefix')
    .argument('<sandbox>', 'NAME of ip netns, /absolute/path or pid:N')
    .option('--name <name>', 'name by which the others find it')
    .option('--alias <name>', 'further name; several may be given', collect)
    .option('--ip <address>', 'IPv4 address (default: the next free one)')
    .option('--ip6 <address>', 'IPv6 address (default: the next free one)')
    .option('--mac-address <mac>', 'MAC address (default: made of the IPv4 address)')
    .option('--ifname <name>', 'interface name in the sandbox (default: the next free ethN)')
    .option(
      '--gw-priority <number>',
      "of several networks the one of the highest gives the sandbox's default route (default: 0)",
      (text: string) => integer('--gw-priority', text),
    )
    .option(
      '-p, --publish <port>',
      'port of the host that leads to the endpoint, [IP:][HOST[-END]:]PORT[-END][/tcp|udp|sctp]; several may be given',
      collect,
    )
    .option('--link-local-ip <address>', 'link-local address beside them; one of each family', collect)
    .option(
      '--route <destination[,gateway]>',
      'static route over the interface, e.g. 10.9.0.0/16,172.18.0.254; several may be given',
      collect,
    )
    .option(
      '--driver-opt <key=value>',
      'option of the endpoint, such as com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1; several may be given',
      collect,
    )
    .option('-q, --quiet', "the endpoint's id only")
    .action(async (network: string, sandbox: string, options: Options) => {
      const endpoint = await context.call('connect', {
        params: { ref: network },
        body: bodyOf(sandbox, options),
      });
      if (options.quiet) context.streams.out(`${endpoint.id}\n`);
      else await context.print(endpoint, () => lineOf(endpoint));
    });
}

function bodyOf(sandbox: string, options: Options) {
  const { name, alias, ip, ip6, macAddress, ifname, gwPriority, linkLocalIp, driverOpt, publish } = options;
  const { route } = options;
  return {
    sandbox,
    aliases: [...(alias ?? [])],
    ...(name !== undefined && { name }),
    ...(ip !== undefined && { ipv4: ip }),
    ...(ip6 !== undefined && { ipv6: ip6 }),
    ...(macAddress !== undefined && { mac: macAddress }),
    ...(ifname !== undefined && { ifname }),
    ...(linkLocalIp !== undefined && { linkLocal: [...linkLocalIp] }),
    ...(route !== undefined && { routes: [...route] }),
    ...(driverOpt !== undefined && { options: parsePairs('--driver-opt', driverOpt) }),
    ...(gwPriority !== undefined && { gatewayPriority: gwPriority }),
    ...(publish !== undefined && { ports: [...publish] }),
  };
}

/** Fields in fixed places, so that both `read` and people make sense of it; a fifth where ports were asked for. */
function lineOf({ addresses, mac, ifname, names, ports }: EndpointView): string {
  const fields = [addresses.join(','), mac ?? '', ifname ?? '', names.join(',')];
  if (ports.length > 0) fields.push(portsText(ports));
  return `${fields.map((field) => printable(field === '' ? '-' : field)).join(' ')}\n`;
}
