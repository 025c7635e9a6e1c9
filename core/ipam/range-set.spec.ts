import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { RangeSet } from './range-set.ts';

/** Small numbers, so that ranges meet; moved up to where only bigints count. */
const origin = 2n ** 100n;
const edit = fc.record({ first: fc.nat(40), width: fc.nat(6), isRemoval: fc.boolean() });

function run(edits: readonly { first: number; width: number; isRemoval: boolean }[]): {
  set: RangeSet;
  model: Set<number>;
} {
  let set = RangeSet.empty;
  const model = new Set<number>();
  for (const { first, width, isRemoval } of edits) {
    const [from, to] = [origin + BigInt(first), origin + BigInt(first + width)];
    set = isRemoval ? set.without(from, to) : set.with(from, to);
    for (let value = first; value <= first + width; value += 1) {
      if (isRemoval) model.delete(value);
      else model.add(value);
    }
  }
  return { set, model };
}

describe('a set of ranges', () => {
  it('is a set of numbers', () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 30 }), (edits) => {
        const { set, model } = run(edits);
        assert.equal(set.size, BigInt(model.size));
        for (let value = 0; value < 50; value += 1) {
          const at = origin + BigInt(value);
          assert.equal(set.has(at), model.has(value));
          let [free, taken] = [value, value];
          while (model.has(free)) free += 1;
          while (taken < 50 && !model.has(taken)) taken += 1;
          assert.equal(set.nextFree(at), origin + BigInt(free));
          assert.equal(set.nextTaken(at), taken < 50 ? origin + BigInt(taken) : undefined);
        }
      }),
    );
  });

  it('keeps ranges apart by at least one number', () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 30 }), (edits) => {
        const ranges = [...run(edits).set.ranges()];
        for (const [index, range] of ranges.entries()) {
          assert.ok(range.first <= range.last);
          const next = ranges[index + 1];
          assert.ok(next === undefined || next.first > range.last + 1n);
        }
      }),
    );
  });

  it('costs one range for a /8 that is full and two when one address is free', () => {
    const full = RangeSet.empty.with(10n << 24n, (11n << 24n) - 1n);
    assert.equal(full.rangeCount, 1);
    assert.equal(full.without((10n << 24n) | 7n).rangeCount, 2);
    assert.equal(full.without((10n << 24n) | 7n).nextFree(10n << 24n), (10n << 24n) | 7n);
  });

  it('does not change when others are made from it', () => {
    const set = RangeSet.empty.with(1n, 5n);
    set.with(6n, 9n);
    set.without(2n);
    assert.deepEqual([...set.ranges()], [{ first: 1n, last: 5n }]);
  });

  it('made at once is the one made number by number', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 60 }), (numbers) => {
        const values = numbers.map((number) => origin + BigInt(number));
        const one = values.reduce((set, value) => set.with(value), RangeSet.empty);
        const all = RangeSet.of(values);
        assert.equal(all.size, one.size);
        assert.deepEqual([...all.ranges()], [...one.ranges()]);
      }),
    );
  });
});
