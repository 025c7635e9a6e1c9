/** Every scenario that was saved keeps what it expects: each once failed, by a bug of its own. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { checkout } from '../../architecture/checkout.ts';
import { replay } from './replay.ts';
import { parse } from './scenario.ts';

const folder = join(checkout, 'test/simulation/scenarios');
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe('the saved scenarios', () => {
  it('are there', () => assert.ok(names.length >= 3));

  for (const name of names) {
    it(`keep what they expect: ${name}`, async () => {
      const text = readFileSync(join(folder, name), 'utf8');
      const { expect, notes } = parse(text);
      const { broken = 'pass' } = await replay(text);
      assert.equal(
        broken,
        expect,
        `${notes.join('; ')}; npm run sim -- --scenario ${join(folder, name)} --trace`,
      );
    }).timeout(150_000);
  }
});
