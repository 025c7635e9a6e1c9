/** Real etcd servers for tests, the demo and benchmarks: one or several, on loopback or inside a network namespace. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';
import { sumOfCounters } from './metrics.ts';
import { missingCommands } from './server-process.ts';
import type { Seat } from './store-cluster.ts';
import {
  nameOf,
  type Place,
  ServerCluster,
  type StoreKind,
  StoreServer,
  type StoreServerOptions,
  startServers,
} from './store-server.ts';

const probeTimeoutMs = 1_000;

type Port = 'client' | 'peer' | 'health';

const kind: StoreKind<Port> = {
  store: 'etcd',
  usualPorts: { client: 2379, peer: 2380, health: 2381 },
  readyTimeoutMs: 20_000,
  unavailable: etcdUnavailable,
};

export interface EtcdServerOptions extends StoreServerOptions {
  /** Serves clients by TLS. Files are PEM; `clientCaFile` asks them for certificates. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly clientCaFile?: string };
  /** More options of etcd. */
  readonly extraArgs?: readonly string[];
}

/** Why no etcd can be started here, one line; undefined when one can. */
export function etcdUnavailable(): string | undefined {
  const missing = missingCommands(['etcd', 'setpriv']);
  if (missing.length === 0) return undefined;
  return `no ${missing.join(' and no ')} in PATH (Debian: apt-get install etcd-server util-linux)`;
}

/** Starts one server and waits until it takes writes. */
export async function startEtcd(options: EtcdServerOptions = {}): Promise<EtcdServer> {
  const [server] = (await startEtcdCluster(1, options)).servers;
  if (server === undefined) throw new Error('No etcd was started');
  return server;
}

/**
 * Starts a cluster of servers and waits until it has a leader.
 *
 * @param seats where each runs; on loopback where there are none
 */
export async function startEtcdCluster(
  size: number,
  options: EtcdServerOptions = {},
  seats: readonly Seat[] = [],
): Promise<EtcdCluster> {
  const servers = await startServers(
    kind,
    size,
    options,
    seats,
    (place, peers) => new EtcdServer(place, peers, options),
  );
  return new EtcdCluster(servers);
}

export class EtcdServer extends StoreServer<Port> {
  readonly #options: EtcdServerOptions;

  constructor(place: Place<Port>, peers: readonly Place<Port>[], options: EtcdServerOptions) {
    super(kind, place, peers);
    this.#options = options;
  }

  get clientPort(): number {
    return this.place.ports.client;
  }

  get securePort(): number {
    return this.clientPort;
  }

  launch(): Promise<void> {
    this.process.launch('etcd', this.#arguments());
    return Promise.resolve();
  }

  /** Replaces its data by what a backup holds, while it is down (`etcdctl snapshot restore`). */
  async restoreFrom(backup: string): Promise<void> {
    const { dataDir } = this.place;
    await rm(dataDir, { recursive: true, force: true });
    const place = ['--name', this.name, '--data-dir', dataDir, ...this.#membership()];
    await run('etcdctl', ['snapshot', 'restore', backup, ...place], { env: { ETCDCTL_API: '3' } });
  }

  /** What makes the servers one cluster, for the server and for a restore. */
  #membership(): string[] {
    const peers = this.peers.map((peer) => `${nameOf(peer)}=${peerUrl(peer)}`).join(',');
    const token = ['--initial-cluster-token', 'weft-lab'];
    return ['--initial-advertise-peer-urls', peerUrl(this.place), '--initial-cluster', peers, ...token];
  }

  #arguments(): string[] {
    const { tls, extraArgs = [] } = this.#options;
    const { address, ports, dataDir } = this.place;
    const client = `${tls === undefined ? 'http' : 'https'}://${this.endpoints}`;
    return [
      ...['--name', this.name, '--data-dir', dataDir, '--log-level', 'warn', '--logger', 'zap'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peerUrl(this.place), '--initial-cluster-state', 'new'],
      ...this.#membership(),
      ...['--listen-metrics-urls', `http://${address}:${ports.health}`],
      ...(tls === undefined ? [] : ['--cert-file', tls.certFile, '--key-file', tls.keyFile]),
      ...(tls?.clientCaFile === undefined
        ? []
        : ['--client-cert-auth', '--trusted-ca-file', tls.clientCaFile]),
      ...extraArgs,
    ];
  }

  /** Linearizable reads, that is. */
  protected async isReady(): Promise<boolean> {
    const { address, ports, netns, isReached } = this.place;
    if (isReached)
      return (await fetchJson(`http://${address}:${ports.health}/health`))?.['health'] === 'true';
    const health = ['etcdctl', '--endpoints', this.endpoints, 'endpoint', 'health'];
    const options = { allowFailure: true, env: { ETCDCTL_API: '3' } };
    return (await run('ip', ['netns', 'exec', netns ?? '', ...health], options)).code === 0;
  }

  /** Messages, that is: what a client asks on a stream that is open is counted too. */
  async requestsTaken(): Promise<number> {
    const { address, ports } = this.place;
    const answer = await fetch(`http://${address}:${ports.health}/metrics`);
    return sumOfCounters(await answer.text(), /^grpc_server_msg_received_total\{/);
  }

  async isLeader(): Promise<boolean> {
    if (this.pid === undefined) return false;
    const url = `http://${this.endpoints}/v3/maintenance/status`;
    const status = (await fetchJson(url, '{}')) as
      | { leader?: string; header?: { member_id?: string } }
      | undefined;
    return (
      status?.leader !== undefined && status.leader !== '0' && status.leader === status.header?.member_id
    );
  }
}

export class EtcdCluster extends ServerCluster<EtcdServer> {
  async backUp(folder: string): Promise<void> {
    const [server] = this.servers;
    const save = ['--endpoints', server?.endpoints ?? '', 'snapshot', 'save', join(folder, 'etcd.db')];
    await run('etcdctl', save, { env: { ETCDCTL_API: '3' } });
  }

  async restore(folder: string): Promise<void> {
    await this.replaceData((server) => server.restoreFrom(join(folder, 'etcd.db')));
  }
}

/** Peers of one machine talk over its loopback or its one address. */
function peerUrl({ address, ports }: Place<Port>): string {
  return `http://${address}:${ports.peer}`;
}

async function fetchJson(url: string, body?: string): Promise<Record<string, unknown> | undefined> {
  try {
    const request = body === undefined ? {} : { method: 'POST', body };
    const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(probeTimeoutMs) });
    return answer.ok ? ((await answer.json()) as Record<string, unknown>) : undefined;
  } catch {
    // Not up, frozen, or without a leader: the caller asks again.
    return undefined;
  }
}
