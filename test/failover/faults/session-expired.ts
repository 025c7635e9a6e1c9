import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';

const sessionMs = 2_000;

export const sessionExpired: Fault = {
  name: 'session-expired',
  what: 'nothing passes for longer than a session lives, so that the servers end all sessions (compare connection-lost)',
  stores: ['zookeeper'],
  servers: () => ({ zookeeper: { extraLines: [`maxSessionTimeout=${sessionMs}`], tickMs: 400 } }),
  async run(trial) {
    const relays = await trial.relays();
    const url = trial.urlThrough(relays);
    return await trial.underLoad({ open: () => trial.open(url) }, async (load) => {
      await load.untilAcked(300);
      const { troubles } = load;
      for (const relay of relays) relay.freeze();
      await load.untilFelt(troubles);
      await sleep(3 * sessionMs);
      for (const relay of relays) relay.thaw();
      await load.untilMore(300);
    });
  },
};
