import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { formatFloor, isTrimmed, parseFloor } from './floor.ts';
import { genesisMark } from './transactions.ts';

const mark = { segment: 2, sequence: 7, id: '0f'.repeat(16) };
const czxid = '00000001000000ff';

describe('zookeeper floor', () => {
  it('is a position and a zxid, there and back', () => {
    assert.deepEqual(parseFloor(formatFloor({ mark, czxid })), { mark, czxid });
  });

  it('is nothing else', () => {
    const position = `2:7:${mark.id}`;
    for (const text of [
      '',
      position,
      ` ${czxid}`,
      `${position} 1`,
      `2:7 ${czxid}`,
      `${position} ${czxid} `,
    ]) {
      assert.equal(parseFloor(Buffer.from(text)), undefined, text);
    }
  });

  it('has itself behind it and all that is before, by segment and then by number', () => {
    const floor = { mark, czxid, version: 0 };
    for (const [segment, sequence] of [
      [0, -1],
      [1, 900],
      [2, 0],
      [2, 7],
    ] as const)
      assert.ok(isTrimmed({ segment, sequence }, floor), `${segment}:${sequence}`);
    assert.equal(isTrimmed({ segment: 2, sequence: 8 }, floor), false);
    assert.equal(isTrimmed({ segment: 3, sequence: 0 }, floor), false);
    const bottom = { mark: genesisMark, czxid: '0'.repeat(16), version: undefined };
    assert.equal(isTrimmed({ segment: 1, sequence: 0 }, bottom), false);
  });
});
