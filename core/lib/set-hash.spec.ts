import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { SetHash } from './set-hash.ts';

const members = fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 12 });

/** The definition, with big numbers. */
function sumOf(values: readonly Uint8Array[]): string {
  const sum = values.reduce(
    (total, member) => total + BigInt(`0x${createHash('sha256').update(member).digest('hex')}`),
    0n,
  );
  return BigInt.asUintN(256, sum).toString(16).padStart(64, '0');
}

function hashOf(values: readonly Uint8Array[]): SetHash {
  const hash = SetHash.empty();
  for (const member of values) hash.add(member);
  return hash;
}

describe('the hash of a set', () => {
  it('is the sum of the SHA-256 digests modulo 2^256, in whatever order they come', () => {
    fc.assert(
      fc.property(members, (values) => {
        assert.equal(hashOf(values).hex, sumOf(values));
        assert.equal(hashOf(values.toReversed()).hex, sumOf(values));
      }),
    );
  });

  it('forgets what is taken out', () => {
    fc.assert(
      fc.property(members, members, (stay, go) => {
        const hash = SetHash.fromHex(hashOf([...stay, ...go]).hex);
        for (const member of go) hash.remove(member);
        assert.equal(hash.hex, sumOf(stay));
      }),
    );
  });

  it('adds and takes out whole sets, and sets of one', () => {
    fc.assert(
      fc.property(members, members, fc.uint8Array(), (first, second, one) => {
        const hash = hashOf(first);
        hash.addAll(hashOf(second));
        hash.addAll(SetHash.of(one));
        assert.equal(hash.hex, sumOf([...first, ...second, one]));
        hash.removeAll(hashOf(first));
        assert.equal(hash.hex, sumOf([...second, one]));
      }),
    );
  });
});
