/**
 * Real Consul servers for tests, the demo and benchmarks: one or several, on loopback or inside a network namespace.
 *
 * A server that is down stays a voter of its cluster: autopilot, which would remove it after seconds and take it back
 * after more, is told to leave it.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';
import { sumOfCounters } from './metrics.ts';
import { missingCommands } from './server-process.ts';
import type { Seat } from './store-cluster.ts';
import {
  type Place,
  ServerCluster,
  type StoreKind,
  StoreServer,
  type StoreServerOptions,
  startServers,
} from './store-server.ts';

const probeTimeoutMs = 1_000;

type Port = 'http' | 'https' | 'server' | 'serf';

const kind: StoreKind<Port> = {
  store: 'consul',
  usualPorts: { http: 8500, https: 8501, server: 8300, serf: 8301 },
  readyTimeoutMs: 20_000,
  unavailable: consulUnavailable,
};

export interface ConsulServerOptions extends StoreServerOptions {
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
  const [server] = (await startConsulCluster(1, options)).servers;
  if (server === undefined) throw new Error('No Consul was started');
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
  const servers = await startServers(
    kind,
    size,
    options,
    seats,
    (place, peers) => new ConsulServer(place, peers, options),
  );
  return new ConsulCluster(servers);
}

export class ConsulServer extends StoreServer<Port> {
  readonly #options: ConsulServerOptions;

  constructor(place: Place<Port>, peers: readonly Place<Port>[], options: ConsulServerOptions) {
    super(kind, place, peers);
    this.#options = options;
  }

  get clientPort(): number {
    const { http, https } = this.place.ports;
    return this.#options.tls === undefined ? http : https;
  }

  get securePort(): number {
    return this.clientPort;
  }

  async launch(): Promise<void> {
    const { dataDir, address } = this.place;
    await mkdir(dataDir, { recursive: true });
    const file = join(dataDir, 'weft-lab.json');
    // The management token is in this file, so it is nobody else's to read, and never in an argument.
    await writeFile(file, JSON.stringify(this.#configuration()), { mode: 0o600 });
    const where = ['-bind', address, '-client', address, '-data-dir', join(dataDir, 'data')];
    const others = this.peers.filter((peer) => peer !== this.place);
    const joins = others.flatMap((peer) => ['-retry-join', `${peer.address}:${peer.ports.serf}`]);
    const expect = ['-bootstrap-expect', String(this.peers.length), '-retry-interval', '1s'];
    const args = ['-server', '-node', this.name, ...where, ...expect, ...joins, '-log-level', 'warn'];
    this.process.launch('consul', ['agent', ...args, '-config-file', file]);
  }

  async requestsTaken(): Promise<number> {
    const answer = await this.request('GET', '/v1/agent/metrics?format=prometheus');
    return sumOfCounters(await answer.text(), /^consul_http_(?!GET_v1_agent_metrics)\w+_count /);
  }

  async isLeader(): Promise<boolean> {
    if (this.pid === undefined) return false;
    const answer = await this.#probe('/v1/status/leader');
    return answer?.ok === true && (await answer.json()) === `${this.host}:${this.place.ports.server}`;
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
    const answer = await fetch(`http://${this.host}:${this.place.ports.http}${path}`, {
      method,
      headers: managementToken === undefined ? {} : { 'x-consul-token': managementToken },
      ...(body === undefined ? {} : { body }),
    });
    if (answer.ok) return answer;
    throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  }

  #configuration(): object {
    const { tls, managementToken } = this.#options;
    const { http, https, server, serf } = this.place.ports;
    return {
      // Production settings of leader election (https://developer.hashicorp.com/consul/docs/install/performance).
      performance: { raft_multiplier: 1 },
      autopilot: { cleanup_dead_servers: false, server_stabilization_time: '1s' },
      leave_on_terminate: false,
      skip_leave_on_interrupt: true,
      disable_update_check: true,
      disable_remote_exec: true,
      telemetry: { prometheus_retention_time: '24h', disable_hostname: true },
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

  protected async isReady(): Promise<boolean> {
    const { netns, isReached } = this.place;
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
      const url = `http://${this.host}:${this.place.ports.http}${path}`;
      return await fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) });
    } catch {
      // Not up, frozen, or without a leader: the caller asks again.
      return undefined;
    }
  }
}

export class ConsulCluster extends ServerCluster<ConsulServer> {
  async backUp(folder: string): Promise<void> {
    await writeFile(join(folder, 'consul.snap'), await (await this.leader()).backUp());
  }

  async restore(folder: string): Promise<void> {
    await (await this.leader()).restore(new Uint8Array(await readFile(join(folder, 'consul.snap'))));
  }
}
