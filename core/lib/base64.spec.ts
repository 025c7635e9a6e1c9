import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { decodeBase64, encodeBase64 } from './base64.ts';

describe('base64', () => {
  it("is the platform's, and comes back as it went", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const text = encodeBase64(bytes);
        assert.equal(text, Buffer.from(bytes).toString('base64'));
        assert.deepEqual(decodeBase64(text), bytes);
      }),
    );
  });

  it('has one text for the same bytes', () => {
    for (const text of ['A', 'AA', 'AB==', 'AA=', 'A===', 'AAAA=', '====', 'AA==AAAA', 'AA A', 'AA_-']) {
      assert.equal(decodeBase64(text), undefined, text);
    }
  });
});
