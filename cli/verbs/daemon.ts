/** `weft daemon`: the one verb that does not ask a daemon but is one. Its flags are texts; the daemon judges them. */
import type { Command } from 'commander';
import type { Context } from '../context.ts';

interface Options {
  readonly store?: string;
  readonly host?: string;
  readonly advertise?: string;
  readonly dataDir?: string;
  readonly netnsPrefix?: string;
  readonly acceptInForeignChains?: boolean;
  readonly acceptForeignVteps?: boolean;
  readonly gatewaySubnet?: string;
  readonly bridge?: string;
  readonly archiveMib?: string;
  readonly hostGrace?: string;
  readonly hostRetention?: string;
  readonly logLevel?: string;
  readonly config?: string;
}

export function addVerb(program: Command, context: Context): void {
  program
    .command('daemon')
    .description('run the daemon in the foreground; its log goes to standard error')
    .option(
      '--store <url>',
      'the log: memory:, file:/path, etcd://h1:2379,h2:2379/prefix, or consul: or zookeeper: likewise',
    )
    .option('--host <name>', 'name of this host in the cluster (default: the hostname)')
    .option('--advertise <ip>', "underlay address of this host (default: that of the default route's link)")
    .option('--data-dir <dir>', 'directory of this host alone (default: /var/lib/weft)')
    .option('--netns-prefix <prefix>', 'begins the names of the namespaces it makes (default: weft-)')
    .option(
      '--accept-in-foreign-chains',
      'add a rule of its own to chains of other firewalls that drop what it lets pass',
    )
    .option(
      '--accept-foreign-vteps',
      'let VXLAN frames in from addresses that are not of hosts of the cluster',
    )
    .option(
      '--gateway-subnet <prefix>',
      'IPv4 subnet of the bridge by which overlays reach the outside (default: one that is free)',
    )
    .option('--bridge <none>', 'none: nothing on this host can be attached to the network `bridge`')
    .option(
      '--archive-mib <n>',
      'disk for the archive of records that the log was trimmed of (default: 1024)',
    )
    .option('--host-grace <time>', 'silence after which a host is down; the same on all hosts (default: 30s)')
    .option(
      '--host-retention <time>',
      'time down after which a host is removed with its endpoints; the same on all hosts (default: 24h)',
    )
    .option('--log-level <level>', 'debug, info, warn, error or silent (default: info)')
    .option('--config <file>', 'YAML file with these options, by their names without dashes')
    .action(async (options: Options) => {
      const { runDaemon } = await context.loadDaemon();
      context.exitCode = await runDaemon({
        flags: flagsOf(options, context.options.socket),
        ...(options.config !== undefined && { file: options.config }),
      });
      // The daemon has stopped all it started; whatever native code still holds must not keep the process.
      context.exitNow = true;
    });
}

function flagsOf(options: Options, socket: string | undefined): Record<string, string> {
  const flags = {
    store: options.store,
    host: options.host,
    advertise: options.advertise,
    'data-dir': options.dataDir,
    socket: socket,
    'netns-prefix': options.netnsPrefix,
    'accept-in-foreign-chains': options.acceptInForeignChains === true ? 'true' : undefined,
    'accept-foreign-vteps': options.acceptForeignVteps === true ? 'true' : undefined,
    'gateway-subnet': options.gatewaySubnet,
    bridge: options.bridge,
    'archive-mib': options.archiveMib,
    'host-grace': options.hostGrace,
    'host-retention': options.hostRetention,
    'log-level': options.logLevel,
  };
  const given = Object.entries(flags).filter((flag): flag is [string, string] => flag[1] !== undefined);
  return Object.fromEntries(given);
}
