import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { type CanonicalValue, canonicalJson, isCanonicalJson } from './canonical-json.ts';

const name = fc.string({ minLength: 1 }).filter((text) => !/^\d+$/.test(text) && text !== '__proto__');
const { value } = fc.letrec<{ value: CanonicalValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string(),
    fc.maxSafeNat(),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

function reversed(input: CanonicalValue): CanonicalValue {
  if (typeof input !== 'object') return input;
  if (Array.isArray(input)) return input.map(reversed);
  return Object.fromEntries(
    Object.entries(input)
      .reverse()
      .map(([key, each]) => [key, reversed(each as CanonicalValue)]),
  );
}

describe('canonical JSON', () => {
  it('P6: is JSON, and the same whatever order members were added in', () => {
    fc.assert(
      fc.property(value, (input) => {
        const text = canonicalJson(input);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(input)));
        assert.equal(canonicalJson(reversed(input)), text);
        assert.ok(isCanonicalJson(text, JSON.parse(text)));
      }),
    );
  });

  for (const text of [
    '{"b":1,"a":2}',
    '{"a":1,"a":1}',
    '{"a": 1}',
    '{"a":1.0}',
    '{"a":1e0}',
    '{"a":-0}',
    '{"a":"\\u0041"}',
    '{"a":"\\/"}',
    '{"a":[{"c":1,"b":2}]}',
  ]) {
    it(`is not ${text}`, () => assert.equal(isCanonicalJson(text, JSON.parse(text)), false));
  }

  it('leaves out absent members', () => assert.equal(canonicalJson({ b: undefined, a: [] }), '{"a":[]}'));
});
