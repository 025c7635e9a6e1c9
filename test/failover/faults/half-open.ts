import type { Fault } from '../fault.ts';
import { clusterStores } from '../stores.ts';

export const halfOpen: Fault = {
  name: 'half-open',
  what: 'every connection is half-open from one moment on: nothing passes and nobody is told; new ones pass',
  stores: clusterStores,
  async run(trial) {
    const relays = await trial.relays();
    const url = trial.urlThrough(relays);
    return await trial.underLoad({ open: () => trial.open(url) }, async (load) => {
      await load.untilAcked(300);
      const { troubles } = load;
      for (const relay of relays) {
        relay.freeze();
        relay.thawNew();
      }
      await load.untilFelt(troubles);
      await load.untilMore(300);
    });
  },
};
