/**
 * Real etcd servers for tests, the demo and benchmarks: one or several, on loopback or inside a network namespace.
 *
 * A server lives in a data folder of its own below the system's temporary folder, which `stop` removes. Only processes
 * started here are ever signalled, and they die with this process however it ends (`setpriv --pdeathsig`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './command.ts';

const readyTimeoutMs = 20_000;
const readyPollMs = 25;
const probeTimeoutMs = 1_000;
const logCharactersKept = 4_000;

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

/** Data folders of servers that run; removed when this process ends without having stopped them. */
const ownedFolders = new Set<string>();
process.once('exit', () => {
  for (const folder of ownedFolders) rmSync(folder, { recursive: true, force: true });
});

/** Why no etcd can be started here, one line; undefined when one can. */
export function etcdUnavailable(): string | undefined {
  const missing = ['etcd', 'setpriv'].filter((name) => !isInPath(name));
  if (missing.length === 0) return undefined;
  return `no ${missing.join(' and no ')} in PATH (Debian: apt-get install etcd-server util-linux)`;
}

/** Starts one server and waits until it takes writes. */
export async function startEtcd(options: EtcdServerOptions = {}): Promise<EtcdServer> {
  const server = new EtcdServer(await placeOf(options, 'n0'), options);
  return startAll([server]);
}

/** Starts a cluster of servers on loopback and waits until it has a leader. */
export async function startEtcdCluster(size: number, options: EtcdServerOptions = {}): Promise<EtcdCluster> {
  const names = Array.from({ length: size }, (_, index) => `n${index}`);
  const places = await Promise.all(names.map((name) => placeOf(options, name)));
  const servers = places.map((place) => new EtcdServer(place, options, places));
  await startAll(servers);
  return new EtcdCluster(servers);
}

interface Place {
  readonly name: string;
  readonly address: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly healthPort: number;
  readonly dataDir: string;
  readonly ownsDataDir: boolean;
}

export class EtcdServer {
  readonly #place: Place;
  readonly #options: EtcdServerOptions;
  readonly #peers: readonly Place[];
  #child: ChildProcess | undefined;
  #output = '';

  constructor(place: Place, options: EtcdServerOptions, peers: readonly Place[] = [place]) {
    this.#place = place;
    this.#options = options;
    this.#peers = peers;
  }

  get host(): string {
    return this.#place.address;
  }

  get clientPort(): number {
    return this.#place.clientPort;
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
    return this.#child?.pid;
  }

  /** The end of what it wrote. */
  get output(): string {
    return this.#output;
  }

  /** Starts the process; does not wait for it to be ready. */
  launch(): void {
    if (this.#child !== undefined) throw new Error(`etcd ${this.#place.name} runs already`);
    const [command, ...args] = this.#command();
    const child = spawn(command ?? '', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-logCharactersKept);
      });
    }
    child.once('error', (error) => {
      this.#output += error.message;
    });
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    this.#child = child;
  }

  /** Resolves when the server serves linearizable reads. @throws Error with its last words when it ends or takes too long */
  async ready(): Promise<void> {
    const deadline = performance.now() + readyTimeoutMs;
    while (!(await this.#isHealthy())) {
      if (this.#child === undefined) throw new Error(`etcd ${this.#place.name} ended: ${this.#output}`);
      if (performance.now() > deadline)
        throw new Error(`etcd ${this.#place.name} is not ready: ${this.#output}`);
      await sleep(readyPollMs);
    }
  }

  /** SIGSTOP and SIGCONT freeze and thaw it; after any other signal this waits for its end. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ends = signal !== 'SIGSTOP' && signal !== 'SIGCONT';
    const ended = ends ? once(child, 'exit') : undefined;
    child.kill(signal);
    await ended;
  }

  /** Starts it again with its data and waits until it is ready; kills it before if it runs. */
  async restart(): Promise<void> {
    await this.kill('SIGKILL');
    this.launch();
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
    if (!ownsDataDir) return;
    await rm(dataDir, { recursive: true, force: true });
    ownedFolders.delete(dataDir);
  }

  #command(): string[] {
    const { netns, tls, extraArgs = [] } = this.#options;
    const { name, address, clientPort, healthPort, dataDir } = this.#place;
    const client = `${tls === undefined ? 'http' : 'https'}://${address}:${clientPort}`;
    const peers = this.#peers.map((peer) => `${peer.name}=${peerUrl(peer)}`).join(',');
    return [
      ...(netns === undefined ? [] : ['ip', 'netns', 'exec', netns]),
      ...['setpriv', '--pdeathsig', 'KILL', 'etcd'],
      ...['--name', name, '--data-dir', dataDir, '--log-level', 'warn', '--logger', 'zap'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peerUrl(this.#place), '--initial-advertise-peer-urls', peerUrl(this.#place)],
      ...[
        '--initial-cluster',
        peers,
        '--initial-cluster-state',
        'new',
        '--initial-cluster-token',
        'weft-lab',
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
    if (this.#child === undefined) return false;
    const url = `http://${this.#place.address}:${this.#place.healthPort}/health`;
    const { netns } = this.#options;
    if (netns === undefined) return (await fetchJson(url))?.['health'] === 'true';
    const args = ['netns', 'exec', netns, 'etcdctl', '--endpoints', this.endpoints, 'endpoint', 'health'];
    const result = await run('ip', args, { allowFailure: true, env: { ETCDCTL_API: '3' } });
    return result.code === 0;
  }

  /** True where this member calls itself the leader. */
  async isLeader(): Promise<boolean> {
    if (this.#child === undefined) return false;
    const url = `http://${this.endpoints}/v3/maintenance/status`;
    const status = (await fetchJson(url, '{}')) as
      | { leader?: string; header?: { member_id?: string } }
      | undefined;
    return (
      status?.leader !== undefined && status.leader !== '0' && status.leader === status.header?.member_id
    );
  }
}

export class EtcdCluster {
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

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

async function startAll(servers: readonly [EtcdServer]): Promise<EtcdServer>;
async function startAll(servers: readonly EtcdServer[]): Promise<EtcdServer | undefined>;
async function startAll(servers: readonly EtcdServer[]): Promise<EtcdServer | undefined> {
  const reason = etcdUnavailable();
  if (reason !== undefined) throw new Error(`Cannot start etcd: ${reason}`);
  try {
    for (const server of servers) server.launch();
    await Promise.all(servers.map((server) => server.ready()));
    return servers[0];
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    throw error;
  }
}

async function placeOf(options: EtcdServerOptions, name: string): Promise<Place> {
  const address = options.listenAddress ?? '127.0.0.1';
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'weft-etcd-')));
  if (options.dataDir === undefined) ownedFolders.add(dataDir);
  // A namespace has ports of its own, so etcd's usual ones are free there.
  const [free, peer, health] = options.netns === undefined ? await freePorts(address, 3) : [2379, 2380, 2381];
  return {
    name,
    address,
    clientPort: options.clientPort ?? free ?? 2379,
    peerPort: peer ?? 2380,
    healthPort: health ?? 2381,
    dataDir,
    ownsDataDir: options.dataDir === undefined,
  };
}

/** Peers of one machine talk over its loopback or its one address. */
function peerUrl(place: Place): string {
  return `http://${place.address}:${place.peerPort}`;
}

async function freePorts(address: string, count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, address);
    await once(server, 'listening');
    const bound = server.address();
    if (bound !== null && typeof bound === 'object') ports.push(bound.port);
  }
  await Promise.all(servers.map(async (server) => once(server.close(), 'close')));
  return ports;
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

function isInPath(name: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => folder !== '' && existsSync(join(folder, name)));
}
