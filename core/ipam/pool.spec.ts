import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { runs } from '../../test/support/property-settings.ts';
import {
  addressFromBigInt,
  addressToBigInt,
  boundsOf,
  contains,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  type Prefix,
  prefixOf,
} from '../model/address.ts';
import { holds, joinPool, leavePool, newPool, type Pool, rangeOf, release, take, takeNext } from './pool.ts';
import { reservedRanges } from './subnet-rules.ts';

/** A pool as a list of addresses: slow, and plainly right. */
class NaivePool {
  readonly taken = new Set<bigint>();
  readonly #first: bigint;
  readonly #last: bigint;
  readonly #cursors = new Map<string, bigint>();

  constructor(prefix: Prefix) {
    ({ first: this.#first, last: this.#last } = boundsOf(prefix));
    const isSmall = this.#last - this.#first < 2n;
    if (isSmall) return;
    this.taken.add(this.#first);
    if (familyOf(prefix) === 4) this.taken.add(this.#last);
  }

  takeNext(range: Prefix | undefined): bigint | undefined {
    const { first, last } = range === undefined ? { first: this.#first, last: this.#last } : boundsOf(range);
    const key = `${first} ${last}`;
    const start = this.#cursors.get(key) ?? first;
    const width = last - first + 1n;
    for (let step = 0n; step < width; step += 1n) {
      const value = first + ((start - first + step) % width);
      if (this.taken.has(value)) continue;
      this.taken.add(value);
      this.#cursors.set(key, first + ((value - first + 1n) % width));
      return value;
    }
    return undefined;
  }
}

/** A prefix of up to eight bits more somewhere in another. */
function rangeInside(prefix: Prefix, narrower: number, place: bigint) {
  const { first, last } = boundsOf(prefix);
  const size = last - first + 1n;
  const width = size >> BigInt(narrower) > 0n ? size >> BigInt(narrower) : 1n;
  const start = first + (place % (size / width)) * width;
  return { first: start, last: start + width - 1n };
}

interface Step {
  readonly type: 'next' | 'ranged' | 'static' | 'release';
  readonly pick: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  type: fc.constantFrom('next', 'next', 'ranged', 'static', 'release') as fc.Arbitrary<Step['type']>,
  pick: fc.nat(10_000),
});

/** Small enough for the naive pool to walk, at both ends of both families. */
const places: readonly { prefix: Prefix; range: Prefix }[] = [
  ['10.0.1.0/31', '10.0.1.0/31'],
  ['10.0.1.4/30', '10.0.1.4/31'],
  ['10.0.1.0/28', '10.0.1.8/29'],
  ['255.255.255.0/27', '255.255.255.16/28'],
  ['fd00:1::/127', 'fd00:1::/128'],
  ['fd00:1::/124', 'fd00:1::8/125'],
  ['fdff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/126'],
].map(([prefix, range]) => ({ prefix: prefix as Prefix, range: range as Prefix }));

function play(place: { prefix: Prefix; range: Prefix }, steps: readonly Step[]): void {
  const ranged = rangeOf(newPool('default', place.prefix), place.range);
  let pool = joinPool(newPool('default', place.prefix), rangeOf(newPool('default', place.prefix), undefined));
  pool = joinPool(pool, ranged);
  const model = new NaivePool(place.prefix);
  const held: bigint[] = [];
  for (const { type, pick } of steps) {
    if (type === 'release') {
      const [value] = held.splice(pick % Math.max(held.length, 1), 1);
      if (value === undefined) continue;
      pool = release(pool, value);
      model.taken.delete(value);
    } else if (type === 'static') {
      const value = pool.first + (BigInt(pick) % (pool.last - pool.first + 1n));
      assert.equal(pool.taken.has(value), model.taken.has(value));
      if (pool.taken.has(value)) continue;
      pool = take(pool, value);
      model.taken.add(value);
      held.push(value);
    } else {
      const got = takeNext(pool, type === 'next' ? pool : ranged);
      const expected = model.takeNext(type === 'next' ? undefined : place.range);
      assert.equal(got?.value, expected);
      if (got === undefined) continue;
      pool = got.pool;
      held.push(got.value);
    }
    assert.equal(new Set(held).size, held.length);
    assert.equal(pool.taken.size, BigInt(model.taken.size));
  }
}

describe('a pool', () => {
  for (const place of places) {
    it(`P5: of ${place.prefix} gives what a list of its addresses would give`, () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => play(place, steps)),
        { numRuns: runs(60) },
      );
    });
  }

  for (const text of [
    '10.0.1.0/31',
    '10.0.1.0/30',
    '10.0.1.0/29',
    '10.0.1.0/24',
    '10.0.0.0/20',
    'fd00::/127',
    'fd00::/126',
    'fd00::/120',
  ]) {
    it(`P5: of ${text} is exhausted when every address that may be given is given, once`, () => {
      const prefix = text as Prefix;
      let pool = joinPool(newPool('default', prefix), newPool('default', prefix));
      const reserved = BigInt(reservedRanges(prefix).length);
      const seen = new Set<bigint>();
      for (let got = takeNext(pool, pool); got !== undefined; got = takeNext(pool, pool)) {
        assert.ok(!seen.has(got.value) && contains(prefix, addressFromBigInt(got.value, familyOf(prefix))));
        seen.add(got.value);
        pool = got.pool;
      }
      assert.equal(BigInt(seen.size), pool.last - pool.first + 1n - reserved);
      const [back] = seen;
      assert.ok(back !== undefined);
      assert.equal(takeNext(release(pool, back), pool)?.value, back);
    });
  }

  it('P5: of any width gives each address once, in its range, and counts what is left', () => {
    const width = fc.oneof(
      fc
        .integer({ min: 8, max: 31 })
        .map((length) => prefixOf(`10.255.255.255/${length}` as InterfaceAddress)),
      fc
        .integer({ min: 8, max: 127 })
        .map((length) => prefixOf(`fdff::ffff:ffff/${length}` as InterfaceAddress)),
    );
    const excluded = fc.array(
      fc.record({ from: fc.bigInt(0n, 2n ** 120n), count: fc.bigInt(1n, 2n ** 24n) }),
      {
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(width, fc.nat(8), fc.bigInt(0n, 2n ** 120n), excluded, (prefix, narrower, place, holes) => {
        const range = rangeInside(prefix, narrower, place);
        let pool = joinPool(newPool('default', prefix), range);
        const size = pool.last - pool.first + 1n;
        for (const { from, count } of holes) {
          const first = pool.first + (from % size);
          const last = first + count > pool.last ? pool.last : first + count;
          pool = { ...pool, taken: pool.taken.with(first, last) };
        }
        const before = pool;
        const given: bigint[] = [];
        for (
          let got = takeNext(pool, range);
          got !== undefined && given.length < 40;
          got = takeNext(pool, range)
        ) {
          assert.ok(holds(range, got.value) && !pool.taken.has(got.value));
          given.push(got.value);
          pool = got.pool;
        }
        assert.equal(new Set(given).size, given.length);
        assert.equal(pool.taken.size, before.taken.size + BigInt(given.length));
        if (given.length < 40)
          assert.equal(pool.taken.nextFree(range.first) > range.last, true, 'none is left');
        for (const each of given) pool = release(pool, each);
        assert.deepEqual([...pool.taken.ranges()], [...before.taken.ranges()]);
      }),
      { numRuns: runs(200) },
    );
  });

  it('of any width costs what is used of it', () => {
    for (const prefix of ['10.0.0.0/8', 'fd00:1::/64', 'fd00::/8'] as Prefix[]) {
      let pool = joinPool(newPool('default', prefix), newPool('default', prefix));
      for (let count = 0; count < 1000; count += 1) pool = takeNext(pool, pool)?.pool ?? pool;
      assert.ok(pool.taken.rangeCount <= 2);
    }
  });

  const value = (text: string) => addressToBigInt(text as IpAddress);
  const pool24 = (): Pool =>
    joinPool(newPool('default', '10.0.1.0/24' as Prefix), boundsOf('10.0.1.0/24' as Prefix));

  it('goes on after the last address that it gave, so that a freed one rests', () => {
    let pool = pool24();
    const given: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      const got = takeNext(pool, pool);
      assert.ok(got !== undefined);
      given.push(addressFromBigInt(got.value, 4));
      pool = release(got.pool, got.value);
    }
    assert.deepEqual(given, ['10.0.1.1', '10.0.1.2', '10.0.1.3', '10.0.1.4']);
  });

  it('does not go on after an address that was asked for', () => {
    const pool = take(pool24(), value('10.0.1.100'));
    assert.equal(takeNext(pool, pool)?.value, value('10.0.1.1'));
  });

  it('has a cursor for every range, as long as somebody has the range', () => {
    const range = boundsOf('10.0.1.128/25' as Prefix);
    let pool = joinPool(joinPool(pool24(), range), range);
    pool = takeNext(pool, range)?.pool ?? pool;
    assert.equal(takeNext(pool, pool)?.value, value('10.0.1.1'));
    assert.equal(takeNext(pool, range)?.value, value('10.0.1.129'));
    pool = leavePool(pool, range) ?? pool;
    assert.equal(takeNext(pool, range)?.value, value('10.0.1.129'));
    pool = leavePool(pool, range) ?? pool;
    assert.equal(pool.cursors.length, 1);
    assert.equal(leavePool(pool, pool), undefined);
  });
});
