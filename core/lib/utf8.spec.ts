import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { runs } from '../../test/support/property-settings.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function platformDecode(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

describe('UTF-8', () => {
  it('reads exactly what the platform reads as well formed', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 20 }).map((text) => new TextEncoder().encode(text)),
      fc
        .array(
          fc.constantFrom(0x41, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xa0, 0x90, 0x9f),
        )
        .map((bytes) => Uint8Array.from(bytes)),
    );
    fc.assert(
      fc.property(bytes, (value) => assert.equal(decodeUtf8(value), platformDecode(value))),
      { numRuns: runs(500) },
    );
  });

  it('writes what the platform writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.deepEqual(encodeUtf8(text), new TextEncoder().encode(text));
      }),
    );
  });

  it('reads texts longer than a piece', () => {
    const text = `${'a'.repeat(10_000)}é${'b'.repeat(5000)}😀`;
    assert.equal(decodeUtf8(new TextEncoder().encode(text)), text);
  });

  for (const [what, bytes] of [
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a cut sequence', [0xe2, 0x82]],
    ['a stray continuation', [0x80]],
  ] as const) {
    it(`refuses ${what}`, () => assert.equal(decodeUtf8(Uint8Array.from(bytes)), undefined));
  }
});
