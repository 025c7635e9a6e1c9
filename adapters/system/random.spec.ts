import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { SystemRandom } from './random.ts';

describe('SystemRandom', () => {
  const random = new SystemRandom();

  it('draws ids of the length asked for, no two alike', () => {
    const ids = Array.from({ length: 1000 }, () => random.hex(16));
    for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('draws numbers from zero to one, spread out', () => {
    const numbers = Array.from({ length: 4000 }, () => random.unit());
    for (const number of numbers) assert.ok(number >= 0 && number < 1);
    const quarters = [0, 1, 2, 3].map(
      (quarter) => numbers.filter((number) => Math.floor(number * 4) === quarter).length,
    );
    for (const count of quarters) assert.ok(count > 700, `quarters of 4,000 numbers: ${quarters.join(', ')}`);
  });
});
