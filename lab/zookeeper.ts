/**
 * Real ZooKeeper servers for tests, the demo and benchmarks: one or several, on loopback or inside a network namespace.
 *
 * A server is one `java` process of ours, so that its pid is known; Debian's scripts and its service have no part in it.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { run } from './command.ts';
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

type Port = 'client' | 'secure' | 'peer' | 'election';

const kind: StoreKind<Port> = {
  store: 'zookeeper',
  usualPorts: { client: 2181, secure: 2281, peer: 2888, election: 3888 },
  readyTimeoutMs: 30_000,
  unavailable: zookeeperUnavailable,
};

export interface ZookeeperServerOptions extends StoreServerOptions {
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
  const [server] = (await startZookeeperCluster(1, options)).servers;
  if (server === undefined) throw new Error('No ZooKeeper was started');
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
  const servers = await startServers(
    kind,
    size,
    options,
    seats,
    (place, peers) => new ZookeeperServer(place, peers, options),
  );
  return new ZookeeperCluster(servers);
}

/** What a server says that it is, in its answer to `srvr`. */
export type ZookeeperMode = 'standalone' | 'leader' | 'follower';

export class ZookeeperServer extends StoreServer<Port> {
  readonly #options: ZookeeperServerOptions;

  constructor(place: Place<Port>, peers: readonly Place<Port>[], options: ZookeeperServerOptions) {
    super(kind, place, peers);
    this.#options = options;
  }

  get clientPort(): number {
    return this.place.ports.client;
  }

  /** For TLS, where that was asked for. */
  get securePort(): number {
    return this.place.ports.secure;
  }

  async launch(): Promise<void> {
    const { dataDir, number } = this.place;
    await mkdir(dataDir, { recursive: true });
    await writeFile(join(dataDir, 'zoo.cfg'), this.#configuration());
    await writeFile(join(dataDir, 'myid'), `${number}\n`);
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    this.process.launch('java', [
      ...[...javaOptions, '-cp', classPath.join(delimiter)],
      ...[main, join(dataDir, 'zoo.cfg')],
    ]);
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
    return join(this.place.dataDir, 'version-2');
  }

  /** Undefined while it serves nobody: down, frozen, or without a leader. */
  async mode(): Promise<ZookeeperMode | undefined> {
    if (this.pid === undefined) return undefined;
    const answer = await this.#say('srvr');
    return /^Mode: (standalone|leader|follower)$/m.exec(answer)?.[1] as ZookeeperMode | undefined;
  }

  /** Packets, that is, signs of life of sessions among them, and this very question. */
  async requestsTaken(): Promise<number> {
    return Number(/^Received: (\d+)$/m.exec(await this.#say('srvr'))?.[1]);
  }

  protected async isReady(): Promise<boolean> {
    return (await this.mode()) !== undefined;
  }

  /** One that is alone leads itself. */
  async isLeader(): Promise<boolean> {
    const mode = await this.mode();
    return mode === 'leader' || mode === 'standalone';
  }

  #configuration(): string {
    const { dataDir, address, ports } = this.place;
    const { tls, extraLines = [], tickMs = 500 } = this.#options;
    const isAlone = this.peers.length === 1;
    return [
      // The time limits of an election stay small: a server that is missed holds it up for initLimit ticks.
      ...[`tickTime=${tickMs}`, 'initLimit=10', 'syncLimit=6', 'maxSessionTimeout=10000', 'maxClientCnxns=0'],
      ...[`dataDir=${dataDir}`, `clientPort=${ports.client}`, `clientPortAddress=${address}`],
      ...['admin.enableServer=false', '4lw.commands.whitelist=srvr,ruok,mntr,cons'],
      ...(isAlone ? [] : this.peers.map(quorumLine)),
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
    const { netns, isReached } = this.place;
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

export class ZookeeperCluster extends ServerCluster<ZookeeperServer> {
  async backUp(folder: string): Promise<void> {
    await (await this.leader()).backUp(join(folder, 'zookeeper'));
  }

  async restore(folder: string): Promise<void> {
    await this.replaceData((server) => server.restoreFrom(join(folder, 'zookeeper')));
  }
}

function quorumLine({ number, address, ports }: Place<Port>): string {
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
