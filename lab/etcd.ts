/**
 * Real etcd servers for tests, the demo and benchmarks: one or several, on loopback or inside a network namespace.
 *
 * A server lives in a data folder of its own below the system's temporary folder, which `stop` removes. Only processes
 * started here are ever signalled, and they die with this process however it ends (`setpriv --pdeathsig`).
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './command.ts';
import { freePorts, missingCommands, ownFolder, removeFolder, ServerProcess } from './server-process.ts';
import type { ClusterServer, Seat, StoreCluster } from './store-cluster.ts';

const readyTimeoutMs = 20_000;
const readyPollMs = 25;
const probeTimeoutMs = 1_000;

export interface EtcdServerOptions {
  /** Kept by `stop` when given; otherwise one is made and removed. */
  readonly dataDir?: string;
  /** A free port when absent; 2379 in a namespace. */
  readonly clientPort?: number;
  /** Where clients connect; 127.0.0.1 when absent. */
  readonly listenAddress?: string;
  /** A network namespace by its `ip netns` name. */
  readonly netns?: string;
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
  const server = new EtcdServer(await placeOf(options, 'n0'), options);
  await startAll([server]);
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
  const names = Array.from({ length: size }, (_, index) => `n${index}`);
  const places = await Promise.all(names.map((name, index) => placeOf(options, name, seats[index])));
  const servers = places.map((place) => new EtcdServer(place, options, places));
  await startAll(servers);
  return new EtcdCluster(servers);
}

interface Place {
  readonly name: string;
  readonly address: string;
  readonly netns: string | undefined;
  /** Whether this process reaches its address. */
  readonly isReached: boolean;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly healthPort: number;
  readonly dataDir: string;
  readonly ownsDataDir: boolean;
}

export class EtcdServer implements ClusterServer {
  readonly #place: Place;
  readonly #options: EtcdServerOptions;
  readonly #peers: readonly Place[];
  readonly #process: ServerProcess;

  constructor(place: Place, options: EtcdServerOptions, peers: readonly Place[] = [place]) {
    this.#place = place;
    this.#options = options;
    this.#peers = peers;
    this.#process = new ServerProcess(`etcd ${place.name}`, place.netns);
  }

  get name(): string {
    return this.#place.name;
  }

  get host(): string {
    return this.#place.address;
  }

  get clientPort(): number {
    return this.#place.clientPort;
  }

  get securePort(): number {
    return this.clientPort;
  }

  /** `host:port` of its clients' side, as `etcdctl --endpoints` takes it. */
  get endpoints(): string {
    return `${this.host}:${this.clientPort}`;
  }

  /** Without a prefix: the default one. */
  get url(): string {
    return `etcd://${this.endpoints}`;
  }

  /** Undefined while none is running. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Starts the process; does not wait for it to be ready. */
  launch(): Promise<void> {
    this.#process.launch('etcd', this.#arguments());
    return Promise.resolve();
  }

  /** Resolves when the server serves linearizable reads. @throws Error with its last words when it ends or takes too long */
  async ready(): Promise<void> {
    const deadline = performance.now() + readyTimeoutMs;
    while (!(await this.#isHealthy())) {
      if (this.pid === undefined) throw new Error(`etcd ${this.name} ended: ${this.#process.output}`);
      if (performance.now() > deadline)
        throw new Error(`etcd ${this.name} is not ready: ${this.#process.output}`);
      await sleep(readyPollMs);
    }
  }

  /** SIGSTOP and SIGCONT freeze and thaw it; after any other signal this waits for its end. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#process.kill(signal);
  }

  /** Starts it again with its data and waits until it is ready; kills it before if it runs. */
  async restart(): Promise<void> {
    await this.kill('SIGKILL');
    await this.launch();
    await this.ready();
  }

  /** Loses all its data, as after an operator's mistake: kill, delete, start. */
  async wipe(): Promise<void> {
    await this.kill('SIGKILL');
    await rm(this.#place.dataDir, { recursive: true, force: true });
    await this.restart();
  }

  /** Ends it and removes its data. Idempotent. */
  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    const { dataDir, ownsDataDir } = this.#place;
    if (ownsDataDir) await removeFolder(dataDir);
  }

  /** Replaces its data by what a backup holds, while it is down (`etcdctl snapshot restore`). */
  async restoreFrom(backup: string): Promise<void> {
    const { name, dataDir } = this.#place;
    await rm(dataDir, { recursive: true, force: true });
    const place = ['--name', name, '--data-dir', dataDir, ...this.#membership()];
    await run('etcdctl', ['snapshot', 'restore', backup, ...place], { env: { ETCDCTL_API: '3' } });
  }

  /** What makes the servers one cluster, for the server and for a restore. */
  #membership(): string[] {
    const peers = this.#peers.map((peer) => `${peer.name}=${peerUrl(peer)}`).join(',');
    const token = ['--initial-cluster-token', 'weft-lab'];
    return ['--initial-advertise-peer-urls', peerUrl(this.#place), '--initial-cluster', peers, ...token];
  }

  #arguments(): string[] {
    const { tls, extraArgs = [] } = this.#options;
    const { name, address, clientPort, healthPort, dataDir } = this.#place;
    const client = `${tls === undefined ? 'http' : 'https'}://${address}:${clientPort}`;
    return [
      ...['--name', name, '--data-dir', dataDir, '--log-level', 'warn', '--logger', 'zap'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...[
        '--listen-peer-urls',
        peerUrl(this.#place),
        '--initial-cluster-state',
        'new',
        ...this.#membership(),
      ],
      ...['--listen-metrics-urls', `http://${address}:${healthPort}`],
      ...(tls === undefined ? [] : ['--cert-file', tls.certFile, '--key-file', tls.keyFile]),
      ...(tls?.clientCaFile === undefined
        ? []
        : ['--client-cert-auth', '--trusted-ca-file', tls.clientCaFile]),
      ...extraArgs,
    ];
  }

  async #isHealthy(): Promise<boolean> {
    if (this.pid === undefined) return false;
    const { address, healthPort, netns, isReached } = this.#place;
    if (isReached) return (await fetchJson(`http://${address}:${healthPort}/health`))?.['health'] === 'true';
    const args = [
      'netns',
      'exec',
      netns ?? '',
      'etcdctl',
      '--endpoints',
      this.endpoints,
      'endpoint',
      'health',
    ];
    const result = await run('ip', args, { allowFailure: true, env: { ETCDCTL_API: '3' } });
    return result.code === 0;
  }

  /** True where this member calls itself the leader. */
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

export class EtcdCluster implements StoreCluster {
  readonly servers: readonly EtcdServer[];

  constructor(servers: readonly EtcdServer[]) {
    this.servers = servers;
  }

  get endpoints(): string {
    return this.servers.map((server) => server.endpoints).join(',');
  }

  get url(): string {
    return `etcd://${this.endpoints}`;
  }

  /** Waits for one. @throws Error when there is none in time */
  async leader(): Promise<EtcdServer> {
    const deadline = performance.now() + readyTimeoutMs;
    while (performance.now() < deadline) {
      for (const server of this.servers) if (await server.isLeader()) return server;
      await sleep(readyPollMs);
    }
    throw new Error(`The cluster ${this.endpoints} has no leader`);
  }

  async ready(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.ready()));
  }

  async backUp(folder: string): Promise<void> {
    const [server] = this.servers;
    const save = ['--endpoints', server?.endpoints ?? '', 'snapshot', 'save', join(folder, 'etcd.db')];
    await run('etcdctl', save, { env: { ETCDCTL_API: '3' } });
  }

  async restore(folder: string): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill('SIGKILL')));
    await Promise.all(this.servers.map((server) => server.restoreFrom(join(folder, 'etcd.db'))));
    await Promise.all(this.servers.map((server) => server.launch()));
    await this.ready();
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

async function startAll(servers: readonly EtcdServer[]): Promise<void> {
  const reason = etcdUnavailable();
  if (reason !== undefined) throw new Error(`Cannot start etcd: ${reason}`);
  try {
    await Promise.all(servers.map((server) => server.launch()));
    await Promise.all(servers.map((server) => server.ready()));
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    throw error;
  }
}

async function placeOf(options: EtcdServerOptions, name: string, seat?: Seat): Promise<Place> {
  const address = seat?.address ?? options.listenAddress ?? '127.0.0.1';
  const netns = seat?.netns ?? options.netns;
  const ownsDataDir = options.dataDir === undefined;
  const dataDir = options.dataDir ?? (await ownFolder('weft-etcd-'));
  // A namespace has ports of its own, so etcd's usual ones are free there.
  const usual = [2379, 2380, 2381];
  const [client = 0, peerPort = 0, healthPort = 0] =
    netns === undefined ? await freePorts(address, 3) : usual;
  const isReached = seat !== undefined || netns === undefined;
  const clientPort = options.clientPort ?? client;
  return { name, address, netns, isReached, clientPort, peerPort, healthPort, dataDir, ownsDataDir };
}

/** Peers of one machine talk over its loopback or its one address. */
function peerUrl(place: Place): string {
  return `http://${place.address}:${place.peerPort}`;
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
