/** What happened in a life is all that made it: given the same, another one takes the same steps, with nothing drawn. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { fromSeed, simulate } from '../run/simulation.ts';
import { noRates } from '../world/plan.ts';
import { Trace } from '../world/trace.ts';
import { Script } from './script.ts';

/** Of every style of store. */
const seeds = [300_001, 300_002, 300_008, 300_010, 300_013, 300_014];

describe('a life told again', () => {
  for (const seed of seeds) {
    it(`is the same: seed ${seed}`, async () => {
      const origin = fromSeed(seed);
      const first = await simulate(origin, new Trace());
      const { happened } = origin.script;
      const again = { seed, plan: { ...origin.plan, ...noRates }, script: new Script(happened) };
      const second = await simulate(again, new Trace());
      assert.ok(happened.length > 20);
      assert.deepEqual(again.script.happened, happened);
      assert.equal(second.digest, first.digest);
    }).timeout(60_000);
  }
});
