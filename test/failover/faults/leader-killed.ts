import type { Fault } from '../fault.ts';
import { clusterStores } from '../stores.ts';

export const leaderKilled: Fault = {
  name: 'leader-killed',
  what: 'the leader is killed (SIGKILL) under 1,000 appends, and comes back under others',
  stores: clusterStores,
  run: (trial) =>
    trial.underLoad({ settles: true }, async (load) => {
      await load.untilAcked(300);
      const leader = await trial.cluster.leader();
      const { troubles } = load;
      await leader.kill('SIGKILL');
      await load.untilFelt(troubles);
      await load.untilAcked(1_000);
      await leader.restart();
      await load.untilMore(300);
    }),
};
