import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { genesis, type Position } from '../../core/log/event-log.ts';
import { parsePosition, toPosition } from './transactions.ts';

const id = 'c'.repeat(32);

describe('etcd positions', () => {
  it('are a create revision and an id', () => {
    assert.equal(toPosition(1234, id), `1234:${id}`);
    assert.deepEqual(parsePosition(toPosition(1234, id)), { revision: 1234, id });
    assert.equal(parsePosition(genesis)?.revision, 0);
  });

  it('are told from anything else', () => {
    const others = [
      '0',
      '12',
      `0:${id}`,
      `-1:${id}`,
      `1e3:${id}`,
      `12:${id}0`,
      ` 12:${id}`,
      `9${'9'.repeat(15)}9:${id}`,
    ];
    for (const text of others) assert.equal(parsePosition(text as Position), undefined, text);
  });
});
