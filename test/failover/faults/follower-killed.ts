import type { Fault } from '../fault.ts';
import { clusterStores } from '../stores.ts';

export const followerKilled: Fault = {
  name: 'follower-killed',
  what: 'a follower is killed (SIGKILL) and comes back',
  stores: clusterStores,
  run: (trial) =>
    trial.underLoad({}, async (load) => {
      await load.untilAcked(300);
      const leader = await trial.cluster.leader();
      // Each of the others in turn: clients talk to some of them only.
      const followers = trial.cluster.servers.filter((server) => server !== leader);
      const follower = followers[trial.round % followers.length];
      await follower?.kill('SIGKILL');
      await load.untilMore(300);
      await follower?.restart();
      await load.untilMore(300);
    }),
};
