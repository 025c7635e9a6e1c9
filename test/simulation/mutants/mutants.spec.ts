/** The mutants fit the present code, and the hunt works; `npm run mutants` hunts all of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { checkout } from '../../architecture/checkout.ts';
import { mutants } from './all.ts';
import { hunt } from './hunt.ts';
import { compiledPath, mutated, occurrences } from './mutant.ts';

const mutantsMin = 40;
/** Quickly found ones, of different parts. */
const quick = ['fold-epoch-repeats', 'fold-hash-misses-host', 'ctl-refused-is-success', 'ipam-no-rest'];
const quickSeedsMax = 100;

describe('mutants', () => {
  it(`are ${mutantsMin} at least, each with an id of its own`, () => {
    assert.ok(mutants.length >= mutantsMin);
    assert.equal(new Set(mutants.map(({ id }) => id)).size, mutants.length);
  });

  for (const mutant of mutants) {
    it(`can be planted: ${mutant.id}`, async () => {
      const source = readFileSync(join(checkout, mutant.file), 'utf8');
      const compiled = readFileSync(join(checkout, compiledPath(mutant)), 'utf8');
      assert.equal(occurrences(mutant, source), 1, `once in ${mutant.file}`);
      const changed = mutated(mutant, compiled);
      assert.notEqual(changed, compiled);
      assert.match(mutant.invariants.join(), /^I\d/);
      assert.equal(await syntaxErrorOf(changed), undefined);
    });
  }

  it('are found by the simulator', async () => {
    const chosen = mutants.filter(({ id }) => quick.includes(id));
    assert.equal(chosen.length, quick.length);
    for (const { mutant, finding } of await hunt(chosen, { rounds: 1, seedsMax: quickSeedsMax })) {
      assert.ok(finding !== undefined, `${mutant.id} was not found in ${quickSeedsMax} seeds`);
      assert.ok(mutant.invariants.includes(finding.invariant), `${mutant.id}: ${finding.error}`);
    }
  }).timeout(300_000);
});

/** What is wrong with the text of a module. It is parsed and never run: from a data URL no import of it leads anywhere. */
async function syntaxErrorOf(text: string): Promise<string | undefined> {
  try {
    await import(`data:text/javascript,${encodeURIComponent(`import './nowhere.js';${text}`)}`);
    return 'it could be run';
  } catch (error) {
    return error instanceof SyntaxError ? error.message : undefined;
  }
}
