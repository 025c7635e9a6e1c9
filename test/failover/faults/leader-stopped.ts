import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { clusterStores } from '../stores.ts';

const stoppedMs = 20_000;

export const leaderStopped: Fault = {
  name: 'leader-stopped',
  what: 'the leader is stopped (SIGSTOP) for 20 s: its connections stand and nothing answers',
  stores: clusterStores,
  run: (trial) =>
    trial.underLoad({}, async (load) => {
      await load.untilAcked(300);
      const leader = await trial.cluster.leader();
      const { troubles } = load;
      await leader.kill('SIGSTOP');
      try {
        const time = sleep(stoppedMs);
        await load.untilFelt(troubles);
        await load.untilMore(300);
        await time;
      } finally {
        await leader.kill('SIGCONT');
      }
      await load.untilMore(300);
    }),
};
