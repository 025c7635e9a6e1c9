import assert from 'node:assert/strict';
import type { Fault } from '../fault.ts';
import { ConsulHttp } from '../strangers/consul-http.ts';

const foreignWrites = 200;

export const indexReset: Fault = {
  name: 'index-reset',
  what: 'the index that tails wait with goes down: a backup with the same log is restored, of before others had written much',
  stores: ['consul'],
  async run(trial) {
    const stranger = new ConsulHttp(trial.cluster);
    return await trial.underLoad({}, async (load) => {
      await load.untilAcked(300);
      const goOn = await load.pause();
      await trial.cluster.backUp(trial.folder);
      const before = await stranger.indexOf('elsewhere/');
      for (let count = 0; count < foreignWrites; count += 1)
        await stranger.put('elsewhere/key', String(count));
      assert.ok((await stranger.indexOf('elsewhere/')) >= before + foreignWrites);
      await trial.cluster.restore(trial.folder);
      goOn();
      await load.untilMore(300);
    });
  },
};
