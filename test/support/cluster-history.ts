/** Random histories of a hand-made cluster, for properties of what lies behind the fold. */
import fc from 'fast-check';
import type { Cluster, ClusterStep } from './cluster.ts';

/** One thing that happens; `pick` chooses among what is there at the time. */
export interface Happening {
  readonly type:
    | 'host'
    | 'host-down'
    | 'host-removed'
    | 'network'
    | 'network-removed'
    | 'endpoint'
    | 'endpoint-removed'
    | 'sandbox-remade';
  readonly pick: number;
  readonly variant: number;
}

export const hostNames = ['a', 'b', 'c'];
/** Few, so that several endpoints are on each. */
const networksMax = 4;
const drivers = ['overlay', 'overlay', 'overlay', 'null', 'overlay', 'not-in-this-build'];

/** Endpoints come and go more often than the rest. Long ones, because little happens to an empty cluster. */
export function happenings(maxLength: number): fc.Arbitrary<Happening[]> {
  const type = fc.oneof(
    { weight: 2, arbitrary: fc.constant<Happening['type']>('host') },
    { weight: 2, arbitrary: fc.constant<Happening['type']>('host-down') },
    { weight: 1, arbitrary: fc.constant<Happening['type']>('host-removed') },
    { weight: 2, arbitrary: fc.constant<Happening['type']>('network') },
    { weight: 1, arbitrary: fc.constant<Happening['type']>('network-removed') },
    { weight: 9, arbitrary: fc.constant<Happening['type']>('endpoint') },
    { weight: 5, arbitrary: fc.constant<Happening['type']>('endpoint-removed') },
    { weight: 1, arbitrary: fc.constant<Happening['type']>('sandbox-remade') },
  );
  return fc.array(fc.record({ type, pick: fc.nat(10_000), variant: fc.nat(7) }), { maxLength, size: 'max' });
}

/** Does it; undefined where there is nothing that it could happen to. */
export function happen(cluster: Cluster, { type, pick, variant }: Happening): ClusterStep | undefined {
  const host = hostNames[pick % hostNames.length] ?? 'a';
  switch (type) {
    case 'host':
      return cluster.setHost(
        host,
        `192.0.2.${10 * (1 + (pick % 3)) + (variant % 3)}`,
        variant === 7 ? 1400 : 1500,
      );
    case 'host-down':
      return cluster.state.hosts.get(host)?.isDown === false ? cluster.takeDown(host) : undefined;
    case 'host-removed':
      return cluster.state.hosts.has(host) && pick % 4 === 0 ? cluster.removeHost(host) : undefined;
    case 'network':
      if (cluster.networks.length >= networksMax) return undefined;
      return cluster.addNetwork(`n${cluster.state.ordinal}`, {
        driver: drivers[variant % drivers.length] ?? 'null',
      });
    case 'network-removed': {
      const idle = cluster.networks.filter(({ id }) =>
        cluster.endpoints.every(({ network }) => network !== id),
      );
      const network = idle[pick % idle.length];
      return network === undefined ? undefined : cluster.removeNetwork(network.id);
    }
    case 'endpoint':
      return addEndpoint(cluster, host, pick, variant);
    case 'endpoint-removed': {
      const endpoint = cluster.endpoints[pick % cluster.endpoints.length];
      return endpoint === undefined ? undefined : cluster.removeEndpoint(endpoint.id);
    }
    case 'sandbox-remade':
      return addEndpoint(cluster, host, pick, variant, `again-${cluster.state.ordinal}`);
  }
}

/** As the fold would: of a host that is there, one interface per sandbox and network. */
function addEndpoint(
  cluster: Cluster,
  host: string,
  pick: number,
  variant: number,
  identity?: string,
): ClusterStep | undefined {
  const network = cluster.networks[pick % cluster.networks.length];
  if (network === undefined || !cluster.state.hosts.has(host)) return undefined;
  const sandbox = variant === 6 ? '/run/other/s0' : `s${variant % 3}`;
  const latest = cluster.endpoints.findLast((other) => other.host === host && other.sandbox.ref === sandbox);
  const inSandbox = identity ?? latest?.sandbox.identity ?? 'first';
  const attached = cluster.endpoints.some(
    (other) => other.host === host && other.sandbox.identity === inSandbox && other.network === network.id,
  );
  if (attached) return undefined;
  return cluster.addEndpoint(network.id, {
    host,
    sandbox,
    identity: inSandbox,
    ...(variant === 5 ? {} : { name: `e${cluster.state.ordinal}` }),
    aliases: variant === 4 ? ['shared'] : [],
    ...(network.driver === 'null' ? { ifname: undefined } : {}),
  });
}
