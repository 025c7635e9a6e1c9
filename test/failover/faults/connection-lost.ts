import type { Fault } from '../fault.ts';
import { clusterStores } from '../stores.ts';

const cuts = 10;

export const connectionLost: Fault = {
  name: 'connection-lost',
  what: 'every connection is reset, ten times in a row; sessions of the store outlive it',
  stores: clusterStores,
  async run(trial) {
    const relays = await trial.relays();
    const url = trial.urlThrough(relays);
    return await trial.underLoad({ open: () => trial.open(url) }, async (load) => {
      await load.untilAcked(100);
      for (let count = 0; count < cuts; count += 1) {
        for (const relay of relays) relay.cut();
        await load.untilMore(50);
      }
    });
  },
};
