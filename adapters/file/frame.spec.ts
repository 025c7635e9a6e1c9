import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { entryBytesMax } from '../../core/limits.ts';
import { runs } from '../../test/support/property-settings.ts';
import { decodeFrame, encodeFrame, type Frame, frameBytesMax, hasFrameFrom } from './frame.ts';

/** assert compares prototypes. */
const plainObjects = { noNullPrototype: true };
const frames: fc.Arbitrary<Frame> = fc.record(
  {
    kind: fc.constantFrom('segment' as const, 'entry' as const),
    sequence: fc.maxSafeNat(),
    base: fc.maxSafeNat(),
    id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    payload: fc.uint8Array({ maxLength: 300 }),
    previous: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  },
  plainObjects,
);

describe('a frame', () => {
  it('P6: is decoded to what was encoded, wherever it stands', () => {
    fc.assert(
      fc.property(
        frames,
        fc.uint8Array({ maxLength: 50 }),
        fc.uint8Array({ maxLength: 50 }),
        (frame, before, behind) => {
          const { bytes, checksum } = encodeFrame(frame);
          const decoding = decodeFrame(Buffer.concat([before, bytes, behind]), before.length);
          assert.ok(decoding.type === 'frame');
          const { length, checksum: found, payload, ...rest } = decoding.frame;
          assert.deepEqual({ ...rest, payload: Uint8Array.from(payload) }, frame);
          assert.deepEqual([length, found], [bytes.length, checksum]);
        },
      ),
    );
  });

  it('P7: is never taken for another when any one bit is wrong', () => {
    fc.assert(
      fc.property(frames, fc.nat(), (frame, where) => {
        const { bytes } = encodeFrame(frame);
        const bit = where % (bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.notEqual(decodeFrame(bytes, 0).type, 'frame');
      }),
      { numRuns: runs(2000) },
    );
  });

  it('P7: is short, never wrong, when its end is missing', () => {
    fc.assert(
      fc.property(frames, fc.nat(), (frame, where) => {
        const { bytes } = encodeFrame(frame);
        const decoding = decodeFrame(bytes.subarray(0, where % bytes.length), 0);
        assert.ok(decoding.type === 'short' && decoding.length <= bytes.length);
      }),
    );
  });

  it('P7: never comes out of arbitrary bytes, and arbitrary bytes do no harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        assert.notEqual(decodeFrame(Buffer.concat([Buffer.from('weft'), bytes]), 0).type, 'frame');
        hasFrameFrom(Buffer.from(bytes), 0);
      }),
      { numRuns: runs(2000) },
    );
  });

  it('holds the largest payload', () => {
    const frame: Frame = {
      kind: 'entry',
      sequence: 1,
      base: 0,
      id: '0'.repeat(32),
      payload: new Uint8Array(entryBytesMax),
      previous: 0,
    };
    assert.equal(encodeFrame(frame).bytes.length, frameBytesMax);
    assert.throws(() => encodeFrame({ ...frame, payload: new Uint8Array(entryBytesMax + 1) }), /invariant/);
    assert.throws(() => encodeFrame({ ...frame, id: 'no id' }), /invariant/);
  });

  it('is found behind rubbish when it is of a later sequence', () => {
    const { bytes } = encodeFrame({
      kind: 'entry',
      sequence: 7,
      base: 0,
      id: 'a'.repeat(32),
      payload: Buffer.from('weft weft'),
      previous: 3,
    });
    const mixed = Buffer.concat([Buffer.from('rubbish weft '), bytes, Buffer.from('more')]);
    assert.equal(hasFrameFrom(mixed, 7), true);
    assert.equal(hasFrameFrom(mixed, 8), false);
    assert.equal(hasFrameFrom(mixed.subarray(0, -10), 7), false);
  });
});
