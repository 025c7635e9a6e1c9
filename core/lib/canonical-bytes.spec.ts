import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { CanonicalBytes } from './canonical-bytes.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 6 }), { maxLength: 5 });

describe('canonical bytes', () => {
  it('put a length before texts and lists, and eight bytes for a number', () => {
    const out = new CanonicalBytes(4);
    out
      .text('é')
      .integer(2 ** 40 + 5)
      .list(['a'], (to, each) => to.text(each))
      .flag(true)
      .optionalText(undefined);
    assert.equal(hex(out.bytes), `00000002c3a9${'0000010000000005'}00000001${'0000000161'}0100`);
  });

  it('of different fields differ, however they are divided', () => {
    const encode = (fields: readonly string[]) => {
      const out = new CanonicalBytes(1);
      for (const field of fields) out.text(field);
      return hex(out.bytes);
    };
    fc.assert(
      fc.property(texts, texts, (a, b) =>
        assert.equal(encode(a) === encode(b), a.join('\0') === b.join('\0') && a.length === b.length),
      ),
    );
  });

  it('begin anew after a reset', () => {
    const out = new CanonicalBytes();
    out.text('before').reset().bigint(255n);
    assert.equal(hex(out.bytes), '000000026666');
  });
});
