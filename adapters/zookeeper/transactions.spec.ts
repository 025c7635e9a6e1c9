import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { genesis, type Position } from '../../core/log/event-log.ts';
import { genesisMark, parsePosition, toPosition } from './transactions.ts';

const id = '0f'.repeat(16);

describe('zookeeper positions', () => {
  it('are segment, number and id, there and back', () => {
    for (const mark of [
      { segment: 1, sequence: 0, id },
      { segment: 9_999_999_999, sequence: 2_147_483_647, id },
    ]) {
      assert.deepEqual(parsePosition(toPosition(mark)), mark);
    }
    assert.equal(toPosition(genesisMark), genesis);
    assert.deepEqual(parsePosition(genesis), genesisMark);
  });

  it('are nothing else', () => {
    const texts = [
      '1',
      '1:2',
      `0:1:${id}`,
      `1:01:${id}`,
      `1:-1:${id}`,
      `1:1:${id}0`,
      `1:1:${id} `,
      `12:${id}`,
    ];
    for (const text of texts) assert.equal(parsePosition(text as Position), undefined, text);
  });
});
