/** Another tenant of a store who writes and deletes beside our keys, and between them, without knowing what they are. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreCluster } from '../../../lab/store-cluster.ts';
import { ZookeeperTree } from '../../support/zookeeper-logs.ts';
import type { Trial } from '../trial.ts';
import { ConsulHttp } from './consul-http.ts';
import { EtcdGateway } from './etcd-gateway.ts';

/** Writes once more, somewhere else, and deletes some of what it has written. */
export type Scribble = () => Promise<void>;

/** @param logId of the log that it writes beside */
export async function foreignWriter(trial: Trial, logId: string): Promise<Scribble> {
  switch (trial.store) {
    case 'etcd':
      return inEtcd(trial.cluster, trial.prefix);
    case 'consul':
      return inConsul(trial.cluster, trial.prefix.slice(1), logId);
    case 'zookeeper':
      return await inZookeeper(trial, logId);
    case 'file':
      return inFolder(trial.folder);
  }
}

function inEtcd(cluster: StoreCluster, prefix: string): Scribble {
  const gateway = new EtcdGateway(cluster);
  return async () => {
    const name = randomName();
    await gateway.put(`${prefix}/log/0000000000000/not-an-id-${name}`, name);
    await gateway.put(`${prefix}/log/zzz`, name);
    await gateway.put(`${prefix}/logs`, name);
    await gateway.put(`${prefix}/meta/other`, name);
    await gateway.deletePrefix(`${prefix}/log/zzz`);
  };
}

function inConsul(cluster: StoreCluster, prefix: string, logId: string): Scribble {
  const consul = new ConsulHttp(cluster);
  return async () => {
    const name = randomName();
    const inSegment = `${prefix}/log/${logId}/segments/${'0'.repeat(12)}/not-an-id`;
    await consul.put(inSegment, name);
    await consul.put(`${prefix}/log/zzz`, name);
    await consul.put(`${prefix}/meta/other`, name);
    await consul.delete(inSegment);
  };
}

async function inZookeeper(trial: Trial, logId: string): Promise<Scribble> {
  const [server] = trial.cluster.servers;
  if (server === undefined) throw new Error('no server');
  const tree = await ZookeeperTree.open(server);
  trial.atEnd(() => tree.close());
  const path = `${trial.prefix}/log-${logId}/segments/0000000001/foreign`;
  return async () => {
    // Takes a number of the segment, as every child does.
    await tree.do({ type: 'create', path: `${path}-${randomName()}` });
    await tree.do({ type: 'create', path: `${trial.prefix}/${randomName()}` });
  };
}

function inFolder(folder: string): Scribble {
  return async () => {
    const name = randomName();
    await mkdir(join(folder, `foreign-${name}`));
    await writeFile(join(folder, `${name}.tmp`), name);
    await rm(join(folder, `${name}.tmp`));
    await writeFile(join(folder, `backup-${name}.log~`), name);
  };
}

function randomName(): string {
  return randomBytes(6).toString('hex');
}
