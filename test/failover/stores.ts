/** The stores that a fault is tried on: clusters of three real servers, and a folder for the file store. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConsulServerOptions,
  consulUnavailable,
  startConsul,
  startConsulCluster,
} from '../../lab/consul.ts';
import { type EtcdServerOptions, etcdUnavailable, startEtcd, startEtcdCluster } from '../../lab/etcd.ts';
import type { ClusterServer, Seat, StoreCluster } from '../../lab/store-cluster.ts';
import {
  startZookeeper,
  startZookeeperCluster,
  type ZookeeperServerOptions,
  zookeeperUnavailable,
} from '../../lab/zookeeper.ts';

export type ClusterStore = 'etcd' | 'consul' | 'zookeeper';
export type StoreName = ClusterStore | 'file';

export const clusterStores: readonly ClusterStore[] = ['etcd', 'consul', 'zookeeper'];
export const allStores: readonly StoreName[] = [...clusterStores, 'file'];

/** What a fault wants its servers to be told. */
export interface ServerOptions {
  readonly etcd?: EtcdServerOptions;
  readonly consul?: ConsulServerOptions;
  readonly zookeeper?: ZookeeperServerOptions;
}

/** Without seats on loopback, where no server can be cut off from the others. */
export const clusterSize = 3;

/** Why there is none of it here, one line. */
export function storeUnavailable(store: StoreName): string | undefined {
  if (store === 'file') return undefined;
  return { etcd: etcdUnavailable, consul: consulUnavailable, zookeeper: zookeeperUnavailable }[store]();
}

export async function startCluster(
  store: ClusterStore,
  options: ServerOptions,
  seats: readonly Seat[],
): Promise<StoreCluster> {
  switch (store) {
    case 'etcd':
      return await startEtcdCluster(clusterSize, options.etcd, seats);
    case 'consul':
      return await startConsulCluster(clusterSize, options.consul, seats);
    case 'zookeeper':
      return await startZookeeperCluster(clusterSize, options.zookeeper, seats);
  }
}

/** One server of another cluster of the same kind, on loopback. */
export async function startOther(
  store: StoreName,
): Promise<ClusterServer & { readonly url: string; stop(): Promise<void> }> {
  switch (store) {
    case 'etcd':
      return await startEtcd();
    case 'consul':
      return await startConsul();
    case 'zookeeper':
      return await startZookeeper();
    case 'file':
      throw new Error('The file store has no servers');
  }
}

/** A folder of its own, and how to remove it. */
export async function makeFolder(name: string): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), `wt${process.pid}-${name}-`));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
