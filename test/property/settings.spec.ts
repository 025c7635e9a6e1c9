/** That the settings of properties reach every property, and can be set from outside. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { checkout, filesOf } from '../architecture/checkout.ts';

const settings = new URL('../support/property-settings.js', import.meta.url).href;
const program = `
  import fc from 'fast-check';
  const { runs } = await import('${settings}');
  console.log(JSON.stringify({ ...fc.readConfigureGlobal(), ten: runs(10) }));
`;

interface Found {
  readonly seed: number;
  readonly numRuns: number;
  readonly ten: number;
}

async function settingsWith(env: Readonly<Record<string, string>>): Promise<Found> {
  const clean = { ...process.env, WEFT_PROPERTY_RUNS: '', WEFT_PROPERTY_SEED: '', ...env };
  const args = ['--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: checkout, env: clean });
  return JSON.parse(stdout) as Found;
}

describe('the settings of properties', () => {
  it('are in force', () => {
    const { seed, numRuns } = fc.readConfigureGlobal();
    assert.ok(seed !== undefined && numRuns !== undefined, 'mocha has loaded them');
  });

  it('are one seed unless another is asked for', async () => {
    const [first, second, seven, random] = await Promise.all([
      settingsWith({}),
      settingsWith({}),
      settingsWith({ WEFT_PROPERTY_SEED: '7' }),
      settingsWith({ WEFT_PROPERTY_SEED: 'random' }),
    ]);
    assert.equal(first.seed, second.seed);
    assert.equal(seven.seed, 7);
    assert.ok(random.seed !== first.seed && Number.isSafeInteger(random.seed));
    await assert.rejects(settingsWith({ WEFT_PROPERTY_SEED: 'seven' }), /give an integer or random/);
  });

  it('are so many times the usual runs', async () => {
    const { numRuns, ten } = await settingsWith({ WEFT_PROPERTY_RUNS: '30' });
    assert.deepEqual([numRuns, ten], [3000, 300]);
    await assert.rejects(settingsWith({ WEFT_PROPERTY_RUNS: '0' }), /a number above 0/);
  });

  it('are asked for by every property that says how often it runs', () => {
    const properties = filesOf('.spec.ts').filter((file) => textOf(file).includes("from 'fast-check'"));
    assert.ok(properties.length > 20);
    const literal = properties.filter((file) => /^\s*\{ numRuns: [0-9]/m.test(textOf(file)));
    assert.deepEqual(literal, [], 'write numRuns: runs(N)');
  });
});

function textOf(file: string): string {
  return readFileSync(join(checkout, file), 'utf8');
}
