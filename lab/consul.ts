/**
 * Real Consul servers for tests, the demo and benchmarks: one or several, on loopback or inside a network namespace.
 *
 * A server lives in a data folder of its own below the system's temporary folder, which `stop` removes. Only processes
 * started here are ever signalled, and they die with this process however it ends. A server that is down stays a voter of
 * its cluster: autopilot, which would remove it after seconds and take it back after more, is told to leave it.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './command.ts';
import { freePorts, missingCommands, ownFolder, removeFolder, ServerProcess } from './server-process.ts';
import type { ClusterServer, Seat, StoreCluster } from './store-cluster.ts';

const readyTimeoutMs = 20_000;
const readyPollMs = 25;
const probeTimeoutMs = 1_000;
const usualPorts = { http: 8500, https: 8501, server: 8300, serf: 8301 };

export interface ConsulServerOptions {
  /** Holds data and configuration. Kept by `stop` when given; otherwise one is made and removed. */
  readonly dataDir?: string;
  /** Where clients connect; 127.0.0.1 when absent. */
  readonly listenAddress?: string;
  /** A network namespace by its `ip netns` name; Consul's usual ports are taken there. */
  readonly netns?: string;
  /** Serves clients by TLS, on `clientPort`. Files are PEM; `clientCaFile` asks them for certificates. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly clientCaFile?: string };
  /** Turns access control on, everything being denied by default; this token may do everything. */
  readonly managementToken?: string;
}

/** Why no Consul can be started here, one line; undefined when one can. */
export function consulUnavailable(): string | undefined {
  const missing = missingCommands(['consul', 'setpriv']);
  if (missing.length === 0) return undefined;
  return `no ${missing.join(' and no ')} in PATH (npm run setup, as root, takes consul from Debian's bullseye)`;
}

/** Starts one server and waits until it takes writes. */
export async function startConsul(options: ConsulServerOptions = {}): Promise<ConsulServer> {
  const server = new ConsulServer(await placeOf(options, 'n0'), options);
  await startAll([server]);
  return server;
}

/**
 * Starts a cluster of servers and waits until it has a leader.
 *
 * @param seats where each runs; on loopback where there are none
 */
export async function startConsulCluster(
  size: number,
  options: ConsulServerOptions = {},
  seats: readonly Seat[] = [],
): Promise<ConsulCluster> {
  const names = Array.from({ length: size }, (_, index) => `n${index}`);
  const places = await Promise.all(names.map((name, index) => placeOf(options, name, seats[index])));
  const servers = places.map((place) => new ConsulServer(place, options, places));
  await startAll(servers);
  return new ConsulCluster(servers);
}

interface Place {
  readonly name: string;
  readonly address: string;
  readonly netns: string | undefined;
  /** Whether this process reaches its address. */
  readonly isReached: boolean;
  readonly ports: Readonly<Record<keyof typeof usualPorts, number>>;
  readonly dataDir: string;
  readonly ownsDataDir: boolean;
}

export class ConsulServer implements ClusterServer {
  readonly #place: Place;
  readonly #options: ConsulServerOptions;
  readonly #peers: readonly Place[];
  readonly #process: ServerProcess;

  constructor(place: Place, options: ConsulServerOptions, peers: readonly Place[] = [place]) {
    this.#place = place;
    this.#options = options;
    this.#peers = peers;
    this.#process = new ServerProcess(`consul ${place.name}`, place.netns);
  }

  get name(): string {
    return this.#place.name;
  }

  get host(): string {
    return this.#place.address;
  }

  get clientPort(): number {
    const { http, https } = this.#place.ports;
    return this.#options.tls === undefined ? http : https;
  }

  get securePort(): number {
    return this.clientPort;
  }

  /** Without a prefix: the default one. */
  get url(): string {
    return `consul://${this.host}:${this.clientPort}`;
  }

  /** Undefined while none is running. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Starts the process; does not wait for it to be ready. */
  async launch(): Promise<void> {
    const { dataDir, name, address } = this.#place;
    await mkdir(dataDir, { recursive: true });
    const file = join(dataDir, 'weft-lab.json');
    // The management token is in this file, so it is nobody else's to read, and never in an argument.
    await writeFile(file, JSON.stringify(this.#configuration()), { mode: 0o600 });
    const where = ['-bind', address, '-client', address, '-data-dir', join(dataDir, 'data')];
    const others = this.#peers.filter((peer) => peer !== this.#place);
    const joins = others.flatMap((peer) => ['-retry-join', `${peer.address}:${peer.ports.serf}`]);
    const expect = ['-bootstrap-expect', String(this.#peers.length), '-retry-interval', '1s'];
    const args = ['-server', '-node', name, ...where, ...expect, ...joins, '-log-level', 'warn'];
    this.#process.launch('consul', ['agent', ...args, '-config-file', file]);
  }

  /** Resolves when the server serves linearizable reads. @throws Error with its last words when it ends or takes too long */
  async ready(): Promise<void> {
    const deadline = performance.now() + readyTimeoutMs;
    while (!(await this.#isHealthy())) {
      const { name } = this.#place;
      if (this.pid === undefined) throw new Error(`consul ${name} ended: ${this.#process.output}`);
      if (performance.now() > deadline)
        throw new Error(`consul ${name} is not ready: ${this.#process.output}`);
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
    await rm(join(this.#place.dataDir, 'data'), { recursive: true, force: true });
    await this.restart();
  }

  /** Ends it and removes its data. Idempotent. */
  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    if (this.#place.ownsDataDir) await removeFolder(this.#place.dataDir);
  }

  /** True where this server calls itself the leader. */
  async isLeader(): Promise<boolean> {
    if (this.pid === undefined) return false;
    const answer = await this.#probe('/v1/status/leader');
    return answer?.ok === true && (await answer.json()) === `${this.host}:${this.#place.ports.server}`;
  }

  /** A backup of everything (https://developer.hashicorp.com/consul/api-docs/snapshot). */
  async backUp(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await (await this.request('GET', '/v1/snapshot')).arrayBuffer());
  }

  /** Brings back a backup, while clients are connected. */
  async restore(backup: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.request('PUT', '/v1/snapshot', backup);
  }

  /** One request of Consul's API. @throws Error when it is refused */
  async request(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>): Promise<Response> {
    const { managementToken } = this.#options;
    const answer = await fetch(`http://${this.host}:${this.#place.ports.http}${path}`, {
      method,
      headers: managementToken === undefined ? {} : { 'x-consul-token': managementToken },
      ...(body === undefined ? {} : { body }),
    });
    if (answer.ok) return answer;
    throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  }

  #configuration(): object {
    const { tls, managementToken } = this.#options;
    const { http, https, server, serf } = this.#place.ports;
    return {
      // Production settings of leader election (https://developer.hashicorp.com/consul/docs/install/performance).
      performance: { raft_multiplier: 1 },
      autopilot: { cleanup_dead_servers: false, server_stabilization_time: '1s' },
      leave_on_terminate: false,
      skip_leave_on_interrupt: true,
      disable_update_check: true,
      disable_remote_exec: true,
      ports: {
        dns: -1,
        grpc: -1,
        serf_wan: -1,
        http,
        https: tls === undefined ? -1 : https,
        server,
        serf_lan: serf,
      },
      ...(tls === undefined ? {} : { cert_file: tls.certFile, key_file: tls.keyFile }),
      ...(tls?.clientCaFile === undefined ? {} : { ca_file: tls.clientCaFile, verify_incoming_https: true }),
      ...(managementToken === undefined
        ? {}
        : { acl: { enabled: true, default_policy: 'deny', tokens: { master: managementToken } } }),
    };
  }

  async #isHealthy(): Promise<boolean> {
    if (this.pid === undefined) return false;
    const { netns, isReached } = this.#place;
    // Refused is an answer too: the server has a leader to ask.
    if (isReached) {
      const answer = await this.#probe('/v1/kv/weft-lab?consistent');
      return answer !== undefined && [200, 403, 404].includes(answer.status);
    }
    const address = `-http-addr=http://${this.host}:${this.clientPort}`;
    const args = ['netns', 'exec', netns ?? '', 'consul', 'kv', 'put', address, 'weft-lab', 'ready'];
    return (await run('ip', args, { allowFailure: true })).code === 0;
  }

  async #probe(path: string): Promise<Response | undefined> {
    try {
      const url = `http://${this.host}:${this.#place.ports.http}${path}`;
      return await fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) });
    } catch {
      // Not up, frozen, or without a leader: the caller asks again.
      return undefined;
    }
  }
}

export class ConsulCluster implements StoreCluster {
  readonly servers: readonly ConsulServer[];

  constructor(servers: readonly ConsulServer[]) {
    this.servers = servers;
  }

  get url(): string {
    return `consul://${this.servers.map((server) => `${server.host}:${server.clientPort}`).join(',')}`;
  }

  /** Waits for one. @throws Error when there is none in time */
  async leader(): Promise<ConsulServer> {
    const deadline = performance.now() + readyTimeoutMs;
    while (performance.now() < deadline) {
      for (const server of this.servers) if (await server.isLeader()) return server;
      await sleep(readyPollMs);
    }
    throw new Error(`The cluster ${this.url} has no leader`);
  }

  async ready(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.ready()));
  }

  async backUp(folder: string): Promise<void> {
    await writeFile(join(folder, 'consul.snap'), await (await this.leader()).backUp());
  }

  async restore(folder: string): Promise<void> {
    await (await this.leader()).restore(new Uint8Array(await readFile(join(folder, 'consul.snap'))));
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

async function startAll(servers: readonly ConsulServer[]): Promise<void> {
  const reason = consulUnavailable();
  if (reason !== undefined) throw new Error(`Cannot start Consul: ${reason}`);
  try {
    await Promise.all(servers.map((server) => server.launch()));
    await Promise.all(servers.map((server) => server.ready()));
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    throw error;
  }
}

async function placeOf(options: ConsulServerOptions, name: string, seat?: Seat): Promise<Place> {
  const address = seat?.address ?? options.listenAddress ?? '127.0.0.1';
  const netns = seat?.netns ?? options.netns;
  const ownsDataDir = options.dataDir === undefined;
  const dataDir = options.dataDir ?? (await ownFolder('weft-consul-'));
  const isReached = seat !== undefined || netns === undefined;
  // A namespace has ports of its own, so the usual ones are free there.
  if (netns !== undefined)
    return { name, address, netns, isReached, ports: usualPorts, dataDir, ownsDataDir };
  const [http = 0, https = 0, server = 0, serf = 0] = await freePorts(address, 4);
  return { name, address, netns, isReached, ports: { http, https, server, serf }, dataDir, ownsDataDir };
}
