/** The kinds of stores there are, each with a real server of its own where it needs one; for what is tried on all of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consulUnavailable, startConsul } from '../../lab/consul.ts';
import { etcdUnavailable, startEtcd } from '../../lab/etcd.ts';
import { startZookeeper, zookeeperUnavailable } from '../../lab/zookeeper.ts';

/** A server, or a folder, on which any number of stores can be made. */
export interface StoreServer {
  /** A store that has no log yet. */
  newUrl(): string;
  stop(): Promise<void>;
}

export interface StoreKind {
  readonly name: 'file' | 'etcd' | 'consul' | 'zookeeper';
  /** One line that says why there is none; absent where there is. */
  readonly unavailable: string | undefined;
  start(): Promise<StoreServer>;
}

export const storeKinds: readonly StoreKind[] = [
  { name: 'file', unavailable: undefined, start: startFolder },
  { name: 'etcd', unavailable: etcdUnavailable(), start: async () => serverOf(await startEtcd()) },
  { name: 'consul', unavailable: consulUnavailable(), start: async () => serverOf(await startConsul()) },
  {
    name: 'zookeeper',
    unavailable: zookeeperUnavailable(),
    start: async () => serverOf(await startZookeeper()),
  },
];

async function startFolder(): Promise<StoreServer> {
  const folder = await mkdtemp(join(tmpdir(), `wt${process.pid}-stores-`));
  let stores = 0;
  return {
    newUrl: () => `file:${join(folder, String(++stores))}`,
    stop: () => rm(folder, { recursive: true }),
  };
}

function serverOf(server: { readonly url: string; stop(): Promise<void> }): StoreServer {
  let stores = 0;
  return { newUrl: () => `${server.url}/store-${++stores}`, stop: () => server.stop() };
}
