import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { boundsOf, familyOf, overlaps, type Prefix } from '../model/address.ts';
import { defaultPoolCursor, derivedIpv6Pool, nextDefaultPool } from './default-pools.ts';
import { newPool } from './pool.ts';
import { Pools } from './pools.ts';

function poolsOf(space: string, ...prefixes: readonly string[]): Pools {
  return prefixes.reduce(
    (pools, prefix) => pools.with(newPool(space, prefix as Prefix), defaultPoolCursor),
    Pools.empty,
  );
}

const someNetwork = 'f5ce773b3ff89e6e3998315fa0997b39c41dc0a05f8b6ae5d4ab78a9e42e8758';

describe('pools', () => {
  it('find the one that a prefix overlaps, in its space and family alone', () => {
    const prefix = fc
      .record({ length: fc.integer({ min: 24, max: 32 }), host: fc.nat(255) })
      .map(({ length, host }) => `10.0.0.${(host >> (32 - length)) << (32 - length)}/${length}` as Prefix);
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 12 }), prefix, (wanted, probe) => {
        let pools = poolsOf('other', '10.0.0.0/8', 'fd00::/8');
        const present: Prefix[] = [];
        for (const each of wanted) {
          if (present.some((other) => overlaps(other, each))) continue;
          present.push(each);
          pools = pools.with(newPool('default', each), defaultPoolCursor);
        }
        const found = pools.overlapping('default', 4, boundsOf(probe))?.prefix;
        const expected = present.filter((other) => overlaps(other, probe));
        assert.equal(found === undefined, expected.length === 0);
        if (found !== undefined) assert.ok(expected.includes(found));
      }),
    );
  });

  it('make and forget spaces with their first and last pool', () => {
    const pools = poolsOf('blue', '10.0.1.0/24', 'fd00:1::/64');
    assert.equal(pools.space('blue')?.pools, 2);
    assert.equal(pools.space('blue')?.covered.size, 256n);
    const [ipv4, ipv6] = [...pools.all()].sort((a, b) => familyOf(a.prefix) - familyOf(b.prefix));
    assert.ok(ipv4 !== undefined && ipv6 !== undefined);
    const left = pools.without(ipv4);
    assert.equal(left.space('blue')?.covered.size, 0n);
    assert.equal(left.without(ipv6).space('blue'), undefined);
    assert.equal(pools.size, 2);
  });
});

describe('default pools', () => {
  it('are the /24s of 10.0.0.0/8, one after the other', () => {
    let pools = Pools.empty;
    const given: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const next = nextDefaultPool(pools, 'default');
      assert.ok(next !== undefined);
      given.push(next.prefix);
      pools = pools
        .with(newPool('default', next.prefix), defaultPoolCursor)
        .withCursor('default', next.cursor);
    }
    assert.deepEqual(given, ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24']);
  });

  for (const [taken, next] of [
    [['10.0.0.0/24'], '10.0.1.0/24'],
    [['10.0.0.128/25'], '10.0.1.0/24'],
    [['10.0.0.7/32', '10.0.1.0/30', '10.0.2.255/32'], '10.0.3.0/24'],
    [['10.0.0.0/12'], '10.16.0.0/24'],
    [['10.0.1.0/24'], '10.0.0.0/24'],
    [['10.0.0.0/9', '10.128.0.0/10', '10.192.0.0/10'], undefined],
    [['8.0.0.0/6'], undefined],
    [['fd00::/8', '192.168.0.0/16'], '10.0.0.0/24'],
  ] as const) {
    it(`beside ${taken.join(', ')}: ${next ?? 'none'}`, () => {
      assert.equal(nextDefaultPool(poolsOf('default', ...taken), 'default')?.prefix, next);
    });
  }

  it('wrap, and rest as long as others are free', () => {
    const last = boundsOf('10.255.255.0/24' as Prefix).first;
    const pools = poolsOf('default', '192.168.0.0/24').withCursor('default', last);
    const next = nextDefaultPool(pools, 'default');
    assert.equal(next?.prefix, '10.255.255.0/24');
    assert.equal(next?.cursor, defaultPoolCursor);
    const full = pools.with(newPool('default', '10.255.255.0/24' as Prefix), defaultPoolCursor);
    assert.equal(nextDefaultPool(full, 'default')?.prefix, '10.0.0.0/24');
  });

  it('are found among 65,536 without walking them', () => {
    let pools = Pools.empty;
    for (let block = 0; block < 256; block += 1) {
      if (block !== 200)
        pools = pools.with(newPool('default', `10.${block}.0.0/16` as Prefix), defaultPoolCursor);
    }
    assert.equal(nextDefaultPool(pools, 'default')?.prefix, '10.200.0.0/24');
    assert.equal(pools.space('default')?.covered.rangeCount, 2);
  });
});

describe('derived IPv6 pools', () => {
  it('are unique local, the same everywhere, and another for another network', () => {
    const prefix = derivedIpv6Pool(Pools.empty, 'default', someNetwork);
    assert.match(prefix ?? '', /^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/);
    assert.equal(derivedIpv6Pool(Pools.empty, 'default', someNetwork), prefix);
    assert.notEqual(derivedIpv6Pool(Pools.empty, 'default', someNetwork.replace('f', 'e')), prefix);
  });

  it('keep out of pools that are there', () => {
    const first = derivedIpv6Pool(Pools.empty, 'default', someNetwork) ?? '';
    const second = derivedIpv6Pool(poolsOf('default', first), 'default', someNetwork);
    assert.ok(second !== undefined && !overlaps(second, first as Prefix));
    assert.equal(derivedIpv6Pool(poolsOf('other', first), 'default', someNetwork), first);
    assert.equal(derivedIpv6Pool(poolsOf('default', 'fd00::/8'), 'default', someNetwork), undefined);
  });
});
