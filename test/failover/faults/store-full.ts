import { ZookeeperTree } from '../../support/zookeeper-logs.ts';
import type { Fault } from '../fault.ts';
import type { Load } from '../load.ts';
import { EtcdGateway } from '../strangers/etcd-gateway.ts';
import type { Trial } from '../trial.ts';

const quotaBytes = 16 * 1024 * 1024;
const foreignBytes = 512 * 1024;

export const storeFull: Fault = {
  name: 'store-full',
  what: 'the store takes nothing more, because another tenant has filled its quota (etcd) or its own is reached (ZooKeeper), until an operator makes room',
  stores: ['etcd', 'zookeeper'],
  servers: () => ({
    etcd: { extraArgs: ['--quota-backend-bytes', String(quotaBytes)] },
    zookeeper: { extraLines: ['enforceQuota=true'] },
  }),
  freshServers: true,
  run: (trial) =>
    trial.underLoad({}, async (load) => {
      await load.untilAcked(300);
      await (trial.store === 'etcd' ? fillEtcd(trial, load) : fillZookeeper(trial, load));
      await load.untilMore(300);
    }),
};

/** The handbook's way back: remove, compact, defragment every member, take the alarm back. */
async function fillEtcd(trial: Trial, load: Load): Promise<void> {
  const gateway = new EtcdGateway(trial.cluster);
  const full = load.untilTold('store-full');
  for (let count = 0; count * foreignBytes < 2 * quotaBytes; count += 1) {
    const isFull = await gateway.put(`/foreign/${count}`, 'x'.repeat(foreignBytes)).then(
      () => false,
      (error: unknown) => /space exceeded/.test(String(error)),
    );
    if (isFull) break;
  }
  await full;
  await gateway.deletePrefix('/foreign/');
  await gateway.reclaim();
}

async function fillZookeeper(trial: Trial, load: Load): Promise<void> {
  const [server] = trial.cluster.servers;
  if (server === undefined) throw new Error('no server');
  const operator = await ZookeeperTree.open(server);
  trial.atEnd(() => operator.close());
  const [parent = ''] = trial.prefix.match(/^\/[^/]+/) ?? [];
  const quota = `/zookeeper/quota${trial.prefix}`;
  const limit = (count: number) => Buffer.from(`count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=${count}`);
  await operator.do(
    { type: 'create', path: `/zookeeper/quota${parent}` },
    { type: 'create', path: quota },
    { type: 'create', path: `${quota}/zookeeper_limits`, data: limit(1) },
    { type: 'create', path: `${quota}/zookeeper_stats`, data: Buffer.from('count=12,bytes=100') },
  );
  await load.untilTold('store-full');
  await operator.do({ type: 'set', path: `${quota}/zookeeper_limits`, data: limit(1_000_000) });
}
