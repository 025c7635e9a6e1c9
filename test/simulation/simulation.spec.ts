/** Some thousands of lives; `npm run sim` lives as many as one likes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { checkout } from '../architecture/checkout.ts';
import { commitOfCheckout } from './run/commit.ts';
import { type Failure, runMany } from './run/many.ts';
import { Report } from './run/report.ts';

/** Enough that every kind of fault, trap and recovery is met. */
const seeds = 2_000;
const firstSeed = 100_001;
const patienceMs = 1_800_000;

describe('whole clusters', () => {
  it('keep every invariant in the lives that once broke one', async () => {
    const lines = readFileSync(join(checkout, 'test/simulation/seeds.txt'), 'utf8').split('\n');
    const known = lines.filter((line) => /^\d/.test(line)).map((line) => Number(line.split(' ')[0]));
    const report = new Report();
    // They were found over the plain store.
    assertNone(await runMany({ seeds: known, store: 'memory', onResult: (result) => report.add(result) }));
    assert.equal(report.seeds, known.length);
  }).timeout(patienceMs);

  it(`keep every invariant in ${seeds} lives full of faults`, async () => {
    const report = new Report();
    const chosen = Array.from({ length: seeds }, (_, index) => firstSeed + index);
    assertNone(await runMany({ seeds: chosen, onResult: (result) => report.add(result) }));
    assert.equal(report.seeds, seeds);
    assert.deepEqual(report.missing, [], 'the run is vacuous: it never met some of what it must');
    process.stdout.write(`${report.summary.replace(/^/gm, '      ')}\n`);
  }).timeout(patienceMs);
});

function assertNone(failures: readonly Failure[]): void {
  const [first] = failures;
  if (first !== undefined)
    assert.fail(
      `seed ${first.seed} at commit ${commitOfCheckout()}: ${first.error}; npm run sim -- --seed ${first.seed} --trace`,
    );
}
