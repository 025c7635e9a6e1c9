import type { Fault } from '../fault.ts';
import { EtcdGateway } from '../strangers/etcd-gateway.ts';

export const compaction: Fault = {
  name: 'compaction',
  what: 'the history is compacted up to the newest revision, again and again, while watchers live, and once while one is cut off',
  stores: ['etcd'],
  async run(trial) {
    const [relay] = await trial.relays(trial.cluster.servers.slice(0, 1));
    if (relay === undefined) throw new Error('no relay');
    const operator = new EtcdGateway(trial.cluster);
    const through = trial.urlThrough([relay]);
    const open = (role: string, number: number) =>
      trial.open(role === 'tail' && number === 2 ? through : trial.url);
    return await trial.underLoad({ open }, async (load) => {
      for (let count = 0; count < 5; count += 1) {
        await load.untilMore(60);
        await operator.compact();
      }
      await relay.refuse();
      await load.untilMore(100);
      await operator.compact();
      await relay.accept();
      await load.untilMore(100);
    });
  },
};
