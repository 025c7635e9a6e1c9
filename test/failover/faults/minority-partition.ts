import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterServer } from '../../../lab/store-cluster.ts';
import { draft } from '../../support/log-drafts.ts';
import { tryAppend } from '../../support/log-trials.ts';
import type { Fault } from '../fault.ts';
import { recordLine } from '../judge.ts';
import { clusterStores } from '../stores.ts';
import type { Trial } from '../trial.ts';

const partitionMs = 8_000;

export const minorityPartition: Fault = {
  name: 'minority-partition',
  what: 'one server, in turn the leader and a follower, is cut off from the others (nft) for 8 s, not from its clients; what is asked of it alone is never acked',
  stores: clusterStores,
  needsNetwork: true,
  run: (trial) =>
    trial.underLoad({}, async (load) => {
      await load.untilAcked(300);
      const server = await minorityOf(trial);
      const behind = await trial.open(trial.urlOf([server]));
      trial.atEnd(() => trial.network.heal());
      await trial.network.isolate(server);
      const time = sleep(partitionMs);
      await load.untilMore(300);
      const [record, startMs] = ['9:1', performance.now()] as const;
      const result = await tryAppend(behind, draft(recordLine(record, '')));
      assert.notEqual(result.type, 'acked', 'the minority acked an append');
      const fate = result.type === 'unknown' ? 'unknown' : 'failed';
      load.submissions.push({ record, startMs, endMs: performance.now(), fate });
      await time;
      await trial.network.heal();
      await load.untilMore(300);
    }),
};

/** The leader in odd rounds, a follower in even ones. */
async function minorityOf({ cluster, round }: Trial): Promise<ClusterServer> {
  const leader = await cluster.leader();
  return round % 2 === 1 ? leader : (cluster.servers.find((server) => server !== leader) ?? leader);
}
