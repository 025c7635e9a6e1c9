import assert from 'node:assert/strict';
import { never } from '../../support/log-drafts.ts';
import type { Fault } from '../fault.ts';
import { FrozenHosts } from '../frozen-hosts.ts';
import { clusterStores, startOther } from '../stores.ts';

export const wrongCluster: Fault = {
  name: 'wrong-cluster',
  what: 'the endpoints suddenly lead to another cluster, with another log: both hosts find out, stop where they are, and write nothing there',
  stores: clusterStores,
  async run(trial) {
    const other = await startOther(trial.store);
    trial.atEnd(() => other.stop());
    const otherLog = await trial.open(`${other.url}${trial.prefix}`);
    const head = await otherLog.head(never());
    const relays = await trial.relays();
    const hosts = await FrozenHosts.start(trial, trial.urlThrough(relays));
    await hosts.populate('ours');
    for (const relay of relays) relay.redirect({ host: other.host, port: other.clientPort });
    await hosts.assertFrozen();
    assert.equal(await otherLog.head(never()), head, 'nothing was written to the other log');
    return undefined;
  },
};
