/** One integer is one life, wherever it is lived: two processes in other surroundings take the same steps. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runTwice } from './run/twice.ts';

const firstSeed = 200_001;
/** As many as take a quarter of a minute on two cores. */
const count = 120;
/** Enough for a fault that every request for a network meets. */
const plantedCount = 8;

describe('a seed', () => {
  it('gives the same life in another time zone, language and heap, and after other lives', async () => {
    const digests = new Set<string>();
    const failures = await runTwice({
      seeds: Array.from({ length: count }, (_, index) => firstSeed + index),
      onResult: ({ digest }) => digests.add(digest),
    });
    assert.deepEqual(failures, []);
    assert.equal(digests.size, count, 'each seed another one');
  }).timeout(900_000);

  for (const planted of ['time-zone', 'language', 'true-chance', 'left-over']) {
    it(`that depends on more than itself is found out: ${planted}`, async () => {
      const [failure] = await runTwice({
        seeds: Array.from({ length: plantedCount }, (_, index) => firstSeed + index),
        fork: {
          env: { WEFT_PLANTED_CHANCE: planted },
          execArgv: ['--import', new URL('./run/planted-chance.js', import.meta.url).href],
        },
        onResult: () => undefined,
      });
      assert.equal(failure?.invariant, 'determinism', `not found in ${plantedCount} seeds`);
      // Chance may give the same life twice when the two that differed are lived once more.
      const mayHide = planted === 'left-over' || planted === 'true-chance';
      assert.match(failure.error, mayHide ? /part|left over/ : /they part at line \d+/);
    }).timeout(300_000);
  }
});
