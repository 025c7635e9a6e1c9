/**
 * Real ZooKeeper servers for tests, the demo and benchmarks: one or several, on loopback or inside a network namespace.
 *
 * A server is one `java` process of ours, so that its pid is known; Debian's scripts and its service have no part in it. It
 * lives in a data folder of its own below the system's temporary folder, which `stop` removes. Only processes started here
 * are ever signalled, and they die with this process however it ends.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './command.ts';
import { freePorts, missingCommands, ownFolder, removeFolder, ServerProcess } from './server-process.ts';
import type { ClusterServer, Seat, StoreCluster } from './store-cluster.ts';

const readyTimeoutMs = 30_000;
const readyPollMs = 25;
const probeTimeoutMs = 1_000;
const usualPorts = { client: 2181, secure: 2281, peer: 2888, election: 3888 };
/** Its manifest names nearly all the others (Debian's `libzookeeper-java`). */
const jar = '/usr/share/java/zookeeper.jar';
const classPath = [
  jar,
  // Without one of these nothing is logged. It writes to standard error.
  '/usr/share/java/slf4j-simple.jar',
  // For TLS; the manifest leaves them out.
  ...['/usr/share/java/netty-codec.jar', '/usr/share/java/netty-resolver.jar'],
];
/** Small and quick to start, for a server that lives for seconds. */
const javaOptions = [
  ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
  ...['-Dzookeeper.jmx.log4j.disable=true', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'],
  // KiB of its log written ahead; the default of 64 MiB makes every backup that a test takes as large.
  '-Dzookeeper.preAllocSize=1024',
];

export interface ZookeeperServerOptions {
  /** Holds data and configuration. Kept by `stop` when given; otherwise one is made and removed. */
  readonly dataDir?: string;
  /** Where clients connect; 127.0.0.1 when absent. */
  readonly listenAddress?: string;
  /** A network namespace by its `ip netns` name; ZooKeeper's usual ports are taken there. */
  readonly netns?: string;
  /**
   * Serves clients by TLS, on `securePort`, beside the plain port. Files are PEM: the server's key and certificate in one,
   * and the CA that clients' certificates, which it asks for, are checked against.
   */
  readonly tls?: { readonly keyAndCertFile: string; readonly clientCaFile: string };
  /** More lines of its configuration. */
  readonly extraLines?: readonly string[];
  /** Milliseconds; time limits of sessions, elections and followers are multiples of it. */
  readonly tickMs?: number;
}

/** Why no ZooKeeper can be started here, one line; undefined when one can. */
export function zookeeperUnavailable(): string | undefined {
  const missing = missingCommands(['java', 'setpriv']);
  if (!existsSync(jar)) missing.push(jar);
  if (missing.length === 0) return undefined;
  return `no ${missing.join(' and no ')} (Debian: apt-get install zookeeper default-jre-headless util-linux)`;
}

/** Starts one server and waits until it takes requests. */
export async function startZookeeper(options: ZookeeperServerOptions = {}): Promise<ZookeeperServer> {
  const server = new ZookeeperServer(await placeOf(options, 1), options);
  await startAll([server]);
  return server;
}

/**
 * Starts a cluster of servers and waits until each has its part in it.
 *
 * @param seats where each runs; on loopback where there are none
 */
export async function startZookeeperCluster(
  size: number,
  options: ZookeeperServerOptions = {},
  seats: readonly Seat[] = [],
): Promise<ZookeeperCluster> {
  const numbers = Array.from({ length: size }, (_, index) => index + 1);
  const places = await Promise.all(numbers.map((number) => placeOf(options, number, seats[number - 1])));
  const servers = places.map((place) => new ZookeeperServer(place, options, places));
  await startAll(servers);
  return new ZookeeperCluster(servers);
}

interface Place {
  /** ZooKeeper's `myid`. */
  readonly number: number;
  readonly address: string;
  readonly netns: string | undefined;
  /** Whether this process reaches its address. */
  readonly isReached: boolean;
  readonly ports: Readonly<Record<keyof typeof usualPorts, number>>;
  readonly dataDir: string;
  readonly ownsDataDir: boolean;
}

/** What a server says that it is, in its answer to `srvr`. */
export type ZookeeperMode = 'standalone' | 'leader' | 'follower';

export class ZookeeperServer implements ClusterServer {
  readonly #place: Place;
  readonly #options: ZookeeperServerOptions;
  readonly #peers: readonly Place[];
  readonly #process: ServerProcess;

  constructor(place: Place, options: ZookeeperServerOptions, peers: readonly Place[] = [place]) {
    this.#place = place;
    this.#options = options;
    this.#peers = peers;
    this.#process = new ServerProcess(`zookeeper ${place.number}`, place.netns);
  }

  get name(): string {
    return `n${this.#place.number}`;
  }

  get host(): string {
    return this.#place.address;
  }

  get clientPort(): number {
    return this.#place.ports.client;
  }

  /** For TLS, where that was asked for. */
  get securePort(): number {
    return this.#place.ports.secure;
  }

  /** `host:port` of its clients' side, as `zkCli.sh -server` takes it. */
  get endpoints(): string {
    return `${this.host}:${this.clientPort}`;
  }

  /** Without a prefix: the default one. */
  get url(): string {
    return `zookeeper://${this.endpoints}`;
  }

  /** Undefined while none is running. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The end of what it wrote. */
  get output(): string {
    return this.#process.output;
  }

  /** Starts the process; does not wait for it to be ready. */
  async launch(): Promise<void> {
    const { dataDir, number } = this.#place;
    await mkdir(dataDir, { recursive: true });
    await writeFile(join(dataDir, 'zoo.cfg'), this.#configuration());
    await writeFile(join(dataDir, 'myid'), `${number}\n`);
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    this.#process.launch('java', [
      ...[...javaOptions, '-cp', classPath.join(delimiter)],
      ...[main, join(dataDir, 'zoo.cfg')],
    ]);
  }

  /** Resolves when the server serves clients. @throws Error with its last words when it ends or takes too long */
  async ready(): Promise<void> {
    const deadline = performance.now() + readyTimeoutMs;
    while ((await this.mode()) === undefined) {
      const { number } = this.#place;
      if (this.pid === undefined) throw new Error(`zookeeper ${number} ended: ${this.output}`);
      if (performance.now() > deadline) throw new Error(`zookeeper ${number} is not ready: ${this.output}`);
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
    if (this.#place.ownsDataDir) await removeFolder(this.#place.dataDir);
  }

  /** Copies its snapshots and its log of transactions; what it has acked is in them. */
  async backUp(folder: string): Promise<void> {
    await cp(this.#dataFolder, folder, { recursive: true });
  }

  /** Replaces its data by such a copy, while it is down. */
  async restoreFrom(folder: string): Promise<void> {
    await rm(this.#dataFolder, { recursive: true, force: true });
    await cp(folder, this.#dataFolder, { recursive: true });
  }

  get #dataFolder(): string {
    return join(this.#place.dataDir, 'version-2');
  }

  /** Undefined while it serves nobody: down, frozen, or without a leader. */
  async mode(): Promise<ZookeeperMode | undefined> {
    if (this.pid === undefined) return undefined;
    const answer = await this.#say('srvr');
    return /^Mode: (standalone|leader|follower)$/m.exec(answer)?.[1] as ZookeeperMode | undefined;
  }

  #configuration(): string {
    const { dataDir, address, ports } = this.#place;
    const { tls, extraLines = [], tickMs = 500 } = this.#options;
    const isAlone = this.#peers.length === 1;
    return [
      // The time limits of an election stay small: a server that is missed holds it up for initLimit ticks.
      ...[`tickTime=${tickMs}`, 'initLimit=10', 'syncLimit=6', 'maxSessionTimeout=10000', 'maxClientCnxns=0'],
      ...[`dataDir=${dataDir}`, `clientPort=${ports.client}`, `clientPortAddress=${address}`],
      ...['admin.enableServer=false', '4lw.commands.whitelist=srvr,ruok,mntr,cons'],
      ...(isAlone ? [] : this.#peers.map(quorumLine)),
      ...(tls === undefined
        ? []
        : [
            `secureClientPort=${ports.secure}`,
            `secureClientPortAddress=${address}`,
            'serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory',
            `ssl.keyStore.location=${tls.keyAndCertFile}`,
            'ssl.keyStore.type=PEM',
            `ssl.trustStore.location=${tls.clientCaFile}`,
            'ssl.trustStore.type=PEM',
          ]),
      ...extraLines,
      '',
    ].join('\n');
  }

  /** One of ZooKeeper's words of four letters, and what it answers; nothing where it does not. */
  async #say(word: string): Promise<string> {
    const { host, clientPort } = this;
    const { netns, isReached } = this.#place;
    if (isReached) return await sayTo(host, clientPort, word);
    const source =
      "const [host, port, word, ms] = process.argv.slice(1); const socket = require('node:net').connect(Number(port), host);" +
      // A server that has just begun to listen may never answer.
      'socket.setTimeout(Number(ms), () => socket.destroy());' +
      "socket.on('error', () => undefined).write(word); socket.pipe(process.stdout);";
    const args = [
      'netns',
      'exec',
      netns ?? '',
      process.execPath,
      '--eval',
      source,
      host,
      String(clientPort),
      word,
      String(probeTimeoutMs),
    ];
    const result = await run('ip', args, { allowFailure: true });
    return result.stdout;
  }
}

export class ZookeeperCluster implements StoreCluster {
  readonly servers: readonly ZookeeperServer[];

  constructor(servers: readonly ZookeeperServer[]) {
    this.servers = servers;
  }

  get endpoints(): string {
    return this.servers.map((server) => server.endpoints).join(',');
  }

  get url(): string {
    return `zookeeper://${this.endpoints}`;
  }

  /** Waits for one. @throws Error when there is none in time */
  async leader(): Promise<ZookeeperServer> {
    const deadline = performance.now() + readyTimeoutMs;
    while (performance.now() < deadline) {
      const modes = await Promise.all(this.servers.map((server) => server.mode()));
      const leader = this.servers[modes.indexOf('leader')];
      if (leader !== undefined) return leader;
      await sleep(readyPollMs);
    }
    throw new Error(`The cluster ${this.endpoints} has no leader`);
  }

  async ready(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.ready()));
  }

  async backUp(folder: string): Promise<void> {
    await (await this.leader()).backUp(join(folder, 'zookeeper'));
  }

  async restore(folder: string): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill('SIGKILL')));
    await Promise.all(this.servers.map((server) => server.restoreFrom(join(folder, 'zookeeper'))));
    await Promise.all(this.servers.map((server) => server.launch()));
    await this.ready();
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

async function startAll(servers: readonly ZookeeperServer[]): Promise<void> {
  const reason = zookeeperUnavailable();
  if (reason !== undefined) throw new Error(`Cannot start ZooKeeper: ${reason}`);
  try {
    await Promise.all(servers.map((server) => server.launch()));
    await Promise.all(servers.map((server) => server.ready()));
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    throw error;
  }
}

async function placeOf(options: ZookeeperServerOptions, number: number, seat?: Seat): Promise<Place> {
  const address = seat?.address ?? options.listenAddress ?? '127.0.0.1';
  const netns = seat?.netns ?? options.netns;
  const isReached = seat !== undefined || netns === undefined;
  const dataDir = options.dataDir ?? (await ownFolder('weft-zookeeper-'));
  const ownsDataDir = options.dataDir === undefined;
  // A namespace has ports of its own, so ZooKeeper's usual ones are free there.
  if (netns !== undefined)
    return { number, address, netns, isReached, ports: usualPorts, dataDir, ownsDataDir };
  const [client = 0, secure = 0, peer = 0, election = 0] = await freePorts(address, 4);
  const ports = { client, secure, peer, election };
  return { number, address, netns, isReached, ports, dataDir, ownsDataDir };
}

function quorumLine({ number, address, ports }: Place): string {
  return `server.${number}=${address}:${ports.peer}:${ports.election}`;
}

async function sayTo(host: string, port: number, word: string): Promise<string> {
  const socket = connect(port, host).setEncoding('utf8').setTimeout(probeTimeoutMs);
  socket.once('timeout', () => socket.destroy());
  // Not ended: the server with TLS takes that for a farewell. It ends the connection itself.
  socket.write(word);
  let answer = '';
  try {
    for await (const text of socket) answer += String(text);
  } catch {
    // Not up, frozen, or without a leader: the caller asks again.
    return '';
  }
  return answer;
}
