import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { genesis, type Position } from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import { formatHead, type Head, headBytes, parseHead } from './head.ts';
import { placeOf, positionOf } from './position.ts';

/** assert compares prototypes. */
const plainObjects = { noNullPrototype: true };
const hexId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const heads: fc.Arbitrary<Head> = fc.record(
  {
    logId: hexId.map((id) => id as LogId),
    segment: fc.maxSafeNat(),
    segmentId: hexId,
    end: fc.maxSafeNat(),
    sequence: fc.maxSafeNat(),
    checksum: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    state: fc.constantFrom('open' as const, 'sealed' as const),
  },
  plainObjects,
);

describe('the head', () => {
  it('P6: is one line of one length that reads back as it was written', () => {
    fc.assert(
      fc.property(heads, (head) => {
        const text = formatHead(head);
        assert.equal(text.length, headBytes);
        assert.match(text, /^weft-log 1 [^\n]*\n$/);
        assert.deepEqual(parseHead(Buffer.from(text)), head);
      }),
    );
  });

  it('P7: is none when it is torn: any mixture of two heads, any flip, any cut', () => {
    fc.assert(
      fc.property(heads, heads, fc.nat(headBytes), fc.nat(headBytes * 8 - 1), (old, fresh, cut, bit) => {
        const [a, b] = [Buffer.from(formatHead(old)), Buffer.from(formatHead(fresh))];
        const mixed = Buffer.concat([b.subarray(0, cut), a.subarray(cut)]);
        if (!mixed.equals(a) && !mixed.equals(b)) assert.equal(parseHead(mixed), undefined);
        a[bit >> 3] = (a[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.equal(parseHead(a), undefined);
        assert.equal(parseHead(b.subarray(0, Math.min(cut, headBytes - 1))), undefined);
      }),
    );
  });
});

describe('a position of the file log', () => {
  it('is the text of a place', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 50 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        (sequence, checksum) => {
          assert.deepEqual(placeOf(positionOf({ sequence, checksum })), { sequence, checksum });
        },
      ),
    );
    assert.equal(positionOf({ sequence: 0, checksum: 0 }), genesis);
    assert.deepEqual(placeOf(genesis), { sequence: 0, checksum: 0 });
  });

  it('is nothing else', () => {
    for (const text of [
      '1',
      '-',
      '0-00000000',
      '1-0000000',
      '1-0000000g',
      '01-00000000',
      '1-00000000 ',
      'x',
    ]) {
      assert.equal(placeOf(text as Position), undefined, text);
    }
  });
});
