import { setTimeout as sleep } from 'node:timers/promises';
import { never } from '../../support/log-drafts.ts';
import type { Fault } from '../fault.ts';
import { ConsulHttp } from '../strangers/consul-http.ts';

/** Consul forgets deletions after 15 minutes, and there is no setting for it. */
const limitMs = 20 * 60_000;
const pollMs = 5_000;

export const tombstonesReaped: Fault = {
  name: 'tombstones-reaped',
  what: 'a foreign key is deleted from the folder that tails wait for, and a quarter of an hour later Consul forgets that, and the index of the folder goes down',
  stores: ['consul'],
  roundsAtOnce: true,
  limitMs,
  async run(trial) {
    const logId = await (await trial.open()).open(never());
    const stranger = new ConsulHttp(trial.cluster);
    const folder = `${trial.prefix.slice(1)}/log/${logId}/segments/${'0'.repeat(12)}/`;
    return await trial.underLoad({}, async (load) => {
      await load.untilAcked(20);
      const goOn = await load.pause();
      await stranger.put(`${folder}foreign`, 'x');
      await stranger.delete(`${folder}foreign`);
      const deleted = await stranger.indexOf(folder);
      while ((await stranger.indexOf(folder)) >= deleted) await sleep(pollMs);
      goOn();
      await load.untilMore(300);
    });
  },
};
