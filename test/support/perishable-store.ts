/** A store of each kind that a test can wipe, back up and restore under the hosts that use it: one server, or a folder. */
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startConsulCluster } from '../../lab/consul.ts';
import { startEtcdCluster } from '../../lab/etcd.ts';
import { startZookeeperCluster } from '../../lab/zookeeper.ts';
import type { StoreKind } from './store-kinds.ts';

export interface PerishableStore {
  /** The same before and after all that happens to it. */
  readonly url: string;
  /** All data is lost; the server, or an empty folder, is there again when it resolves. */
  wipe(): Promise<void>;
  /** Keeps what it holds now; nobody writes meanwhile. */
  backUp(): Promise<void>;
  /** Brings back what was kept, as the store's handbook says. */
  restore(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPerishable(kind: StoreKind['name']): Promise<PerishableStore> {
  const folder = await mkdtemp(join(tmpdir(), `wt${process.pid}-perishable-`));
  return kind === 'file' ? directoryStore(folder) : await serverStore(kind, folder);
}

function directoryStore(folder: string): PerishableStore {
  const [log, backup, old] = ['log', 'backup', 'old'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  return {
    url: `file:${log}`,
    wipe: async () => {
      await rename(log, old);
      await mkdir(log);
      await rm(old, { recursive: true });
    },
    backUp: () => cp(log, backup, { recursive: true }),
    restore: async () => {
      await rename(log, old);
      await cp(backup, log, { recursive: true });
      await rm(old, { recursive: true });
    },
    stop: () => rm(folder, { recursive: true }),
  };
}

const starters = { etcd: startEtcdCluster, consul: startConsulCluster, zookeeper: startZookeeperCluster };

async function serverStore(kind: keyof typeof starters, folder: string): Promise<PerishableStore> {
  const cluster = await starters[kind](1);
  return {
    url: `${cluster.url}/weft`,
    wipe: async () => {
      for (const server of cluster.servers) await server.wipe();
    },
    backUp: () => cluster.backUp(folder),
    restore: () => cluster.restore(folder),
    stop: async () => {
      await cluster.stop();
      await rm(folder, { recursive: true });
    },
  };
}
