/** The stores of the demo that are servers: how each is started on a host, and how a person would look into it. */
import { join } from 'node:path';
import { consulUnavailable, startConsul } from '../lab/consul.ts';
import { etcdUnavailable, startEtcd } from '../lab/etcd.ts';
import type { LabHost } from '../lab/host.ts';
import { startZookeeper, zookeeperUnavailable } from '../lab/zookeeper.ts';

export interface StoreServer {
  /** With its article, for sentences. */
  readonly name: string;
  /** How a person would have started it. */
  readonly typed: string;
  readonly url: string;
  /** A command that prints what the log holds, at least its newest entry. */
  look(): Promise<{ readonly command: string; readonly args: readonly string[] }>;
  stop(): Promise<void>;
}

interface StoreServerKind {
  /** Why it cannot be started here; undefined when it can. */
  readonly unavailable: () => string | undefined;
  /** Starts one on that host, with its data under the folder. */
  readonly start: (host: LabHost, folder: string) => Promise<StoreServer>;
}

async function startEtcdOn({ place }: LabHost, folder: string): Promise<StoreServer> {
  const dataDir = join(folder, 'etcd');
  const server = await startEtcd({ netns: place.netns, listenAddress: place.ipv4, dataDir });
  const client = `http://${server.endpoints}`;
  return {
    name: 'an etcd server',
    typed: `etcd --listen-client-urls ${client} --advertise-client-urls ${client} &`,
    url: `${server.url}/weft`,
    look: async () => ({
      command: 'etcdctl',
      args: [`--endpoints=${server.endpoints}`, 'get', '--prefix', '/weft'],
    }),
    stop: () => server.stop(),
  };
}

async function startConsulOn({ place }: LabHost, folder: string): Promise<StoreServer> {
  const dataDir = join(folder, 'consul');
  const server = await startConsul({ netns: place.netns, listenAddress: place.ipv4, dataDir });
  const address = `-http-addr=http://${server.host}:${server.clientPort}`;
  return {
    name: 'a Consul server',
    typed: `consul agent -server -bootstrap-expect 1 -bind ${server.host} -client ${server.host} -data-dir ${dataDir} &`,
    url: `${server.url}/weft`,
    look: async () => ({ command: 'consul', args: ['kv', 'get', address, '-recurse', 'weft/'] }),
    stop: () => server.stop(),
  };
}

const zkCli = '/usr/share/zookeeper/bin/zkCli.sh';

async function startZookeeperOn(host: LabHost, folder: string): Promise<StoreServer> {
  const { netns, ipv4: listenAddress } = host.place;
  const server = await startZookeeper({ netns, listenAddress, dataDir: join(folder, 'zookeeper') });
  const to = ['-server', server.endpoints];
  return {
    name: 'a ZooKeeper server',
    typed: 'zkServer.sh start',
    url: `${server.url}/weft`,
    look: async () => {
      const listed = await host.exec(zkCli, [...to, 'ls', '-R', '/weft']);
      const newest = listed.stdout.split('\n').findLast((line) => /\/e-[0-9]{10}$/.test(line));
      return { command: zkCli, args: [...to, 'get', newest ?? '/weft'] };
    },
    stop: () => server.stop(),
  };
}

export const storeServers = {
  etcd: { unavailable: etcdUnavailable, start: startEtcdOn },
  consul: { unavailable: consulUnavailable, start: startConsulOn },
  zookeeper: { unavailable: zookeeperUnavailable, start: startZookeeperOn },
} as const satisfies Readonly<Record<string, StoreServerKind>>;

/** `file`, or the name of a kind of server. */
export type StoreKind = 'file' | keyof typeof storeServers;

export const storeKinds = ['file', ...Object.keys(storeServers)] as readonly StoreKind[];

/** Why the demo cannot have this store here; undefined when it can. */
export function storeUnavailable(kind: StoreKind): string | undefined {
  return kind === 'file' ? undefined : storeServers[kind].unavailable();
}
