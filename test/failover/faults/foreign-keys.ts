import { never } from '../../support/log-drafts.ts';
import type { Fault } from '../fault.ts';
import { allStores } from '../stores.ts';
import { foreignWriter } from '../strangers/foreign-writer.ts';

const scribbles = 60;

export const foreignKeys: Fault = {
  name: 'foreign-keys',
  what: 'another tenant writes and deletes keys beside ours and between them, all the while',
  stores: allStores,
  async run(trial) {
    const logId = await (await trial.open()).open(never());
    const scribble = await foreignWriter(trial, logId);
    return await trial.underLoad({}, async (load) => {
      for (let count = 0; count < scribbles; count += 1) {
        await scribble();
        await load.untilMore(5);
      }
    });
  },
};
