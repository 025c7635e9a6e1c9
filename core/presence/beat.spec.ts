import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { encodeUtf8 } from '../lib/utf8.ts';
import { beatBytesMax, nameLengthMax } from '../limits.ts';
import { decodeBeat, encodeBeat } from './beat.ts';
import { Marks } from './marks.ts';
import { paceOf } from './pace.ts';

const hash = 'f'.repeat(64);
const mark = { ordinal: Number.MAX_SAFE_INTEGER, recordHash: hash, stateHash: hash };
const largest = {
  host: 'h'.repeat(nameLengthMax),
  epoch: Number.MAX_SAFE_INTEGER,
  count: Number.MAX_SAFE_INTEGER,
  account: {
    address: 'a'.repeat(39),
    version: 'v'.repeat(64),
    phase: 'catching-up' as const,
    ordinal: Number.MAX_SAFE_INTEGER,
    marks: [mark, mark],
  },
};
const text = new TextDecoder().decode(encodeBeat(largest));

describe('a beat', () => {
  it('is read as it was written, and fits its bound at its largest', () => {
    assert.deepEqual(decodeBeat(encodeBeat(largest)), largest);
    assert.ok(encodeBeat(largest).length <= beatBytesMax, `${encodeBeat(largest).length} bytes`);
  });

  it('of a later version says that its author lives', () => {
    const later = { v: 2, host: 'h1', epoch: 3, count: 4, account: 'otherwise' };
    assert.deepEqual(decodeBeat(encodeUtf8(JSON.stringify(later))), { host: 'h1', epoch: 3, count: 4 });
  });

  for (const [what, other] of [
    ['nothing', ''],
    ['no JSON', text.slice(1)],
    ['a number', '1'],
    ['null', 'null'],
    ['a list', '[]'],
    ['no version', text.replace('"v":1', '"w":1')],
    ['an earlier version', text.replace('"v":1', '"v":0')],
    ['a member too many', text.replace('"v":1', '"v":1,"at":7')],
    ['no epoch', text.replace('"epoch"', '"epoque"')],
    ['an epoch of 0', text.replace(/"epoch":\d+/, '"epoch":0')],
    ['a count that is none', text.replace(/"count":\d+/, '"count":1.5')],
    ['a name too long', text.replace('"hhh', '"hhhh')],
    ['no phase', text.replace('catching-up', 'dancing')],
    ['a hash cut short', text.replace('"f', '"')],
  ] as const) {
    it(`is none with ${what}`, () => {
      assert.notEqual(other, text);
      assert.equal(decodeBeat(encodeUtf8(other)), undefined);
    });
  }

  it('is none in bytes that are no text', () => {
    assert.equal(decodeBeat(Uint8Array.of(0xff, 0xfe)), undefined);
  });
});

describe('marks', () => {
  it('are kept of every ordinal of late, and of some of all before', () => {
    const marks = new Marks();
    for (let ordinal = 1; ordinal <= 1_000; ordinal += 1)
      marks.push({ ordinal, recordHash: `${ordinal}`, stateHash: '' } as never);
    assert.deepEqual(
      marks.newest().map(({ ordinal }) => ordinal),
      [992, 1_000],
    );
    for (const ordinal of [16, 480, 937, 1_000]) assert.equal(marks.at(ordinal)?.recordHash, `${ordinal}`);
    for (const ordinal of [15, 481, 1_001]) assert.equal(marks.at(ordinal), undefined);
  });

  it('are one where the newest is one of those that all keep', () => {
    const marks = new Marks();
    marks.push({ ordinal: 16, recordHash: 'a', stateHash: 'b' } as never);
    assert.deepEqual(marks.newest(), [{ ordinal: 16, recordHash: 'a', stateHash: 'b' }]);
    assert.deepEqual(new Marks().newest(), []);
  });
});

describe('the pace', () => {
  for (const [hosts, beatMs, lookMs, graceMs] of [
    [1, 5_000, 5_000, 30_000],
    [100, 5_000, 5_000, 30_000],
    [101, 5_000, 10_000, 60_000],
    [1_000, 5_000, 50_000, 300_000],
  ] as const) {
    it(`of ${hosts} hosts is a look in ${lookMs} ms, and a grace time of ${graceMs} ms`, () => {
      const pace = paceOf(hosts, { graceMs: 30_000, retentionMs: 86_400_000 });
      assert.deepEqual([pace.beatMs, pace.lookMs, pace.graceMs], [beatMs, lookMs, graceMs]);
      assert.ok(pace.gapMs < pace.graceMs / 2);
    });
  }
});
