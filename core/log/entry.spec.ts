import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isWeftError } from '../errors.ts';
import { initialState } from '../fold/predefined.ts';
import { replay } from '../fold/replay.ts';
import { entryBytesMax, entryRecordsMax, recordBytesMax } from '../limits.ts';
import { decodeEntry, encodeEntry } from './entry.ts';
import { decodeRecord } from './record-codec.ts';

const line = fc
  .uint8Array({ minLength: 1, maxLength: 60 })
  .map((bytes) => bytes.map((byte) => (byte === 0x0a ? 0x20 : byte)));

describe('an entry', () => {
  it('P6: gives back the lines that it was made of', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: entryRecordsMax }), (lines) => {
        assert.deepEqual(
          decodeEntry(encodeEntry(lines)).map((each) => [...each]),
          lines.map((each) => [...each]),
        );
      }),
    );
  });

  it('P6: reads any bytes to at most so many lines, which hold all of them', () => {
    const bytes = fc
      .array(fc.constantFrom(0x0a, 0x7b, 0x7d), { maxLength: 100 })
      .map((bytes) => Uint8Array.from(bytes));
    fc.assert(
      fc.property(bytes, (value) => {
        const lines = decodeEntry(value);
        assert.ok(lines.length <= entryRecordsMax);
        assert.deepEqual(
          lines.map((each) => Buffer.from(each).toString()).join('\n'),
          Buffer.from(value).toString(),
        );
      }),
    );
  });

  it('of no bytes has no records', () => assert.deepEqual(decodeEntry(new Uint8Array()), []));

  it('is refused with too many records or bytes', () => {
    const records = (count: number, bytes: number) =>
      Array.from({ length: count }, () => new Uint8Array(bytes).fill(0x20));
    const tooLarge = (error: unknown) => isWeftError(error, 'too-large');
    assert.throws(() => encodeEntry(records(entryRecordsMax + 1, 1)), tooLarge);
    assert.throws(() => encodeEntry(records(4, recordBytesMax)), tooLarge);
    assert.equal(encodeEntry(records(3, recordBytesMax)).length, 3 * recordBytesMax + 2);
  });

  it('has a record, and no record has two lines', () => {
    assert.throws(() => encodeEntry([]), /Broken invariant/);
    assert.throws(() => encodeEntry([Uint8Array.of(0x7b, 0x0a)]), /Broken invariant/);
  });

  for (const [what, bytes] of [
    [
      'of more lines than may be',
      new TextEncoder().encode(Array.from({ length: entryRecordsMax + 1 }, () => '{}').join('\n')),
    ],
    ['that is too long', new Uint8Array(entryBytesMax + 1).fill(0x0a)],
    [
      'that is a newer record spread over many lines',
      new TextEncoder().encode(`{"v":\n2,${'\n'.repeat(40)}"id":"x"}`),
    ],
  ] as const) {
    it(`${what} is one line, one rejection`, () => {
      const lines = decodeEntry(bytes);
      assert.equal(lines.length, 1);
      const result = replay(initialState(), lines);
      assert.equal(result.state.ordinal, 1);
      assert.equal(result.haltedAtVersion, undefined);
      assert.equal(decodeRecord(lines[0] ?? new Uint8Array()).type, 'malformed');
    });
  }
});
