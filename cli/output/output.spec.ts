import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { formatTable, printable } from './table.ts';
import { formatMoment, formatSpan } from './time.ts';

describe('tables', () => {
  it('have columns of equal width and no blanks at the end', () => {
    assert.equal(formatTable(['A', 'LONG'], [['wide one', '']]), 'A          LONG\nwide one\n');
  });

  it('have one line a row, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string())), (rows) => {
        const text = formatTable(['A', 'B'], rows);
        assert.equal(text.split('\n').length, rows.length + 2);
        assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cs}]/u);
      }),
    );
  });

  it('show what a terminal would obey', () => {
    assert.equal(printable('a\u001b[2J\u202eb\u009b'), 'a\\u001b[2J\\u202eb\\u009b');
    assert.equal(printable('Grüße'), 'Grüße');
  });
});

describe('times', () => {
  it('are moments in UTC, also where a record says nonsense', () => {
    assert.equal(formatMoment(1_448_280_000_000), '2015-11-23T12:00:00.000Z');
    assert.equal(formatMoment(Number.MAX_SAFE_INTEGER), '9007199254740991 ms');
  });

  it('are spans of one unit', () => {
    const spans = [0, 999.9, 1_000, 59_999, 60_000, 3_600_000, 86_400_000].map(formatSpan);
    assert.deepEqual(spans, ['0 ms', '999 ms', '1 s', '59 s', '1 min', '1 h', '1 d']);
  });
});
