/**
 * A server of a store, and a cluster of them: what is the same for etcd, Consul and ZooKeeper, so that `etcd.ts`,
 * `consul.ts` and `zookeeper.ts` tell only of the store that they start.
 *
 * A server lives in a data folder of its own below the system's temporary folder, which `stop` removes. Only processes
 * started here are ever signalled, and they die with this process however it ends (`setpriv --pdeathsig`).
 */
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, ownFolder, removeFolder, ServerProcess } from './server-process.ts';
import type { ClusterServer, Seat, StoreCluster } from './store-cluster.ts';

const readyPollMs = 25;

/** What a store is called: in URLs, in names of processes and folders. */
export type StoreName = 'etcd' | 'consul' | 'zookeeper';

/** What every store's servers can be told. */
export interface StoreServerOptions {
  /** Holds data and configuration. Kept by `stop` when given; otherwise one is made and removed. */
  readonly dataDir?: string;
  /** Where clients connect; 127.0.0.1 when absent. */
  readonly listenAddress?: string;
  /** A network namespace by its `ip netns` name; the store's usual ports are taken there. */
  readonly netns?: string;
}

/** Where one server of a cluster is. */
export interface Place<Port extends string> {
  /** 1 for the first of a cluster. */
  readonly number: number;
  readonly address: string;
  readonly netns: string | undefined;
  /** Whether this process reaches its address. */
  readonly isReached: boolean;
  readonly ports: Readonly<Record<Port, number>>;
  readonly dataDir: string;
  readonly ownsDataDir: boolean;
}

/** What a server is called within its cluster. */
export function nameOf({ number }: Pick<Place<string>, 'number'>): string {
  return `n${number}`;
}

/** What the servers of one store have in common. */
export interface StoreKind<Port extends string> {
  readonly store: StoreName;
  readonly usualPorts: Readonly<Record<Port, number>>;
  /** Milliseconds that a server may take until it serves. */
  readonly readyTimeoutMs: number;
  /** Why none can be started here, one line; undefined when one can. */
  unavailable(): string | undefined;
}

export abstract class StoreServer<Port extends string> implements ClusterServer {
  readonly kind: StoreKind<Port>;
  protected readonly place: Place<Port>;
  /** All of its cluster, itself included. */
  protected readonly peers: readonly Place<Port>[];
  protected readonly process: ServerProcess;

  constructor(kind: StoreKind<Port>, place: Place<Port>, peers: readonly Place<Port>[]) {
    this.kind = kind;
    this.place = place;
    this.peers = peers;
    this.process = new ServerProcess(`${kind.store} ${this.name}`, place.netns);
  }

  abstract get clientPort(): number;
  abstract get securePort(): number;

  /** Starts the process; does not wait for it to be ready. */
  abstract launch(): Promise<void>;

  /** Whether it serves. False too while it is down, frozen or without a leader. */
  protected abstract isReady(): Promise<boolean>;

  /** True where this server calls itself the leader. */
  abstract isLeader(): Promise<boolean>;

  /** Requests of clients that it has taken since its start, by its own count; whoever asks has to reach it. */
  abstract requestsTaken(): Promise<number>;

  get name(): string {
    return nameOf(this.place);
  }

  get host(): string {
    return this.place.address;
  }

  /** `host:port` of its clients' side, as the store's own tools take it. */
  get endpoints(): string {
    return `${this.host}:${this.clientPort}`;
  }

  /** Without a prefix: the default one. */
  get url(): string {
    return `${this.kind.store}://${this.endpoints}`;
  }

  /** Undefined while none is running. */
  get pid(): number | undefined {
    return this.process.pid;
  }

  /** The end of what it wrote. */
  get output(): string {
    return this.process.output;
  }

  /** Resolves when the server serves. @throws Error with its last words when it ends or takes too long */
  async ready(): Promise<void> {
    const deadline = performance.now() + this.kind.readyTimeoutMs;
    while (this.pid === undefined || !(await this.isReady())) {
      const what = `${this.kind.store} ${this.name}`;
      if (this.pid === undefined) throw new Error(`${what} ended: ${this.output}`);
      if (performance.now() > deadline) throw new Error(`${what} is not ready: ${this.output}`);
      await sleep(readyPollMs);
    }
  }

  /** SIGSTOP and SIGCONT freeze and thaw it; after any other signal this waits for its end. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.process.kill(signal);
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
    await rm(this.place.dataDir, { recursive: true, force: true });
    await this.restart();
  }

  /** Ends it and removes its data. Idempotent. */
  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    if (this.place.ownsDataDir) await removeFolder(this.place.dataDir);
  }
}

export abstract class ServerCluster<Server extends StoreServer<string>> implements StoreCluster {
  readonly servers: readonly Server[];

  constructor(servers: readonly Server[]) {
    this.servers = servers;
  }

  abstract backUp(folder: string): Promise<void>;
  abstract restore(folder: string): Promise<void>;

  get endpoints(): string {
    return this.servers.map((server) => server.endpoints).join(',');
  }

  get url(): string {
    return `${this.#first.kind.store}://${this.endpoints}`;
  }

  async leader(): Promise<Server> {
    const deadline = performance.now() + this.#first.kind.readyTimeoutMs;
    while (performance.now() < deadline) {
      for (const server of this.servers) if (await server.isLeader()) return server;
      await sleep(readyPollMs);
    }
    throw new Error(`The cluster ${this.endpoints} has no leader`);
  }

  async ready(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.ready()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  /** Kills all, has the data of each replaced, and starts them again. */
  protected async replaceData(replace: (server: Server) => Promise<void>): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill('SIGKILL')));
    await Promise.all(this.servers.map(replace));
    await Promise.all(this.servers.map((server) => server.launch()));
    await this.ready();
  }

  get #first(): Server {
    const [first] = this.servers;
    if (first === undefined) throw new Error('A cluster has one server at least');
    return first;
  }
}

/**
 * Starts the servers of one cluster and waits until all serve; none is left behind when one does not.
 *
 * @param seats where each runs; on loopback, or in the options' namespace, where there are none
 * @throws Error when the store cannot be started here, with the last words of a server that did not come up
 */
export async function startServers<Port extends string, Server extends StoreServer<Port>>(
  kind: StoreKind<Port>,
  size: number,
  options: StoreServerOptions,
  seats: readonly Seat[],
  make: (place: Place<Port>, peers: readonly Place<Port>[]) => Server,
): Promise<Server[]> {
  const reason = kind.unavailable();
  if (reason !== undefined) throw new Error(`Cannot start ${kind.store}: ${reason}`);
  const numbers = Array.from({ length: size }, (_, index) => index + 1);
  const places = await Promise.all(
    numbers.map((number) => placeOf(kind, options, number, seats[number - 1])),
  );
  const servers = places.map((place) => make(place, places));
  try {
    await Promise.all(servers.map((server) => server.launch()));
    await Promise.all(servers.map((server) => server.ready()));
    return servers;
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    throw error;
  }
}

async function placeOf<Port extends string>(
  kind: StoreKind<Port>,
  options: StoreServerOptions,
  number: number,
  seat: Seat | undefined,
): Promise<Place<Port>> {
  const address = seat?.address ?? options.listenAddress ?? '127.0.0.1';
  const netns = seat?.netns ?? options.netns;
  return {
    number,
    address,
    netns,
    isReached: seat !== undefined || netns === undefined,
    // A namespace has ports of its own, so the usual ones are free there.
    ports: netns === undefined ? await portsFor(kind, address) : kind.usualPorts,
    dataDir: options.dataDir ?? (await ownFolder(`weft-${kind.store}-`)),
    ownsDataDir: options.dataDir === undefined,
  };
}

async function portsFor<Port extends string>(
  { usualPorts }: StoreKind<Port>,
  address: string,
): Promise<Record<Port, number>> {
  const names = Object.keys(usualPorts) as Port[];
  const free = await freePorts(address, names.length);
  return Object.fromEntries(names.map((name, index) => [name, free[index]])) as Record<Port, number>;
}
