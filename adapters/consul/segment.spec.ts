import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import type { EntryId, LogId } from '../../core/model/ids.ts';
import type { StoredKey } from './answers.ts';
import { placeKeys } from './keys.ts';
import { contradictionOf, type Progress, readSegment } from './segment.ts';
import { genesisMark } from './transactions.ts';

const logId = 'a'.repeat(32) as LogId;
const scope = { keys: placeKeys('/weft').of(logId), logId, url: 'consul://h/weft' };
const keys = scope.keys.segment(3);

const idOf = (number: number) => number.toString(16).padStart(32, '0') as EntryId;
const stored = (key: string, index: number, value = ''): StoredKey => ({
  key,
  value: Buffer.from(value),
  createIndex: index,
  modifyIndex: index,
});
const entry = (number: number, index: number) => stored(scope.keys.entry(3, idOf(number)), index);
const start = stored(keys.start, 1, 'mark');

describe('a segment of the log on Consul', () => {
  it('is in the order of indexes, whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1_000_000), { maxLength: 50 }), (indexes) => {
        const found = indexes.map((index, number) => entry(number, index + 2));
        const { entries } = readSegment(scope, 3, [...found, start]);
        assert.deepEqual(
          entries.map(({ index }) => index),
          indexes.map((index) => index + 2).toSorted((a, b) => a - b),
        );
        for (const { id, index } of entries) assert.equal(indexes[Number.parseInt(id, 16)], index - 2);
      }),
    );
  });

  it('leaves foreign keys out, and knows its ends', () => {
    const found = [start, entry(1, 5), stored(`${keys.folder}notes`, 6), stored(keys.end, 7, 'next')];
    const segment = readSegment(scope, 3, found);
    assert.equal(segment.start, 'mark');
    assert.equal(segment.end, 'next');
    assert.deepEqual(
      segment.entries.map(({ id }) => id),
      [idOf(1)],
    );
    assert.equal(readSegment(scope, 3, [start]).end, undefined);
  });

  it('is damaged when an entry was overwritten, or two have one index', () => {
    const overwritten = { ...entry(1, 5), modifyIndex: 9 };
    for (const found of [
      [start, overwritten],
      [start, entry(1, 5), entry(2, 5)],
    ]) {
      assert.throws(
        () => readSegment(scope, 3, found),
        (error) => isWeftError(error, 'log-damaged'),
      );
    }
  });

  const last = { index: 5, segment: 3, id: idOf(1) };
  const known: Progress = { last, segment: 3, start: 'mark', delivered: 2 };
  const before = [start, entry(0, 4), entry(1, 5)];
  const contradiction = (found: readonly StoredKey[], progress = known) =>
    contradictionOf(readSegment(scope, 3, found), progress);

  it('agrees with what was read before when it has only grown', () => {
    assert.equal(contradiction(before), undefined);
    assert.equal(contradiction([...before, entry(2, 6), stored(keys.end, 7)]), undefined);
    const fresh: Progress = { last: genesisMark, segment: 3, start: undefined, delivered: undefined };
    assert.equal(contradiction(before, fresh), undefined);
    // Whoever begins behind a position knows neither the mark nor how many there were.
    assert.equal(contradiction(before, { ...known, start: undefined, delivered: undefined }), undefined);
  });

  it('contradicts what was read before when it is gone, another one, or other before the last entry', () => {
    assert.match(contradiction([]) ?? '', /not there/);
    assert.match(contradiction([stored(keys.start, 1, 'other'), ...before.slice(1)]) ?? '', /another one/);
    assert.match(contradiction([start, entry(0, 4)]) ?? '', /not at position 5/);
    assert.match(contradiction([start, entry(0, 4), entry(2, 5)]) ?? '', /not at position 5/);
    assert.match(contradiction([start, entry(1, 5)]) ?? '', /1 entries .* were 2/);
    assert.match(contradiction([...before, entry(2, 3)]) ?? '', /3 entries .* were 2/);
  });
});
