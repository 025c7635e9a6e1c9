import type { Fault } from '../fault.ts';
import { clusterStores } from '../stores.ts';

export const allKilled: Fault = {
  name: 'all-killed',
  what: 'all servers are killed (SIGKILL) at once and started again',
  stores: clusterStores,
  run: (trial) =>
    trial.underLoad({}, async (load) => {
      const { servers } = trial.cluster;
      await load.untilAcked(300);
      const { troubles } = load;
      await Promise.all(servers.map((server) => server.kill('SIGKILL')));
      await load.untilFelt(troubles);
      await Promise.all(servers.map((server) => server.launch()));
      await trial.cluster.ready();
      await load.untilMore(300);
    }),
};
