import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { entryBytesMax } from '../../core/limits.ts';
import { genesis, type Position } from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import { draft } from '../../test/support/log-drafts.ts';
import { parseList, parseRefusals, parseResults } from './answers.ts';
import { ConsulCallError } from './errors.ts';
import { forgetOperations, raiseOperations, removeOperations } from './floor.ts';
import { placeKeys } from './keys.ts';
import { idsPerTransaction, segmentsPerTransaction } from './limits.ts';
import { appendOperations, headOf, parsePosition, refusalOf, toPosition } from './transactions.ts';

const logId = 'a'.repeat(32) as LogId;
const scope = { keys: placeKeys(`/${'p'.repeat(254)}`).of(logId), logId, url: 'consul://h/weft' };
const open = { segment: 999_999_999_999, index: Number.MAX_SAFE_INTEGER };

describe('transactions of the log on Consul', () => {
  it('fit the bound of Consul with the largest entry, the longest prefix and the end of a segment', () => {
    const largest = draft(new Uint8Array(entryBytesMax), Number.MAX_SAFE_INTEGER);
    const operations = appendOperations(scope, open, largest, 'f'.repeat(16)).map((KV) => ({ KV }));
    assert.ok(JSON.stringify(operations).length <= 512 * 1024);
    assert.ok(operations.length <= 64);
  });

  it('of a trim fit the bounds of Consul too', () => {
    const to = { index: Number.MAX_SAFE_INTEGER, segment: open.segment, id: 'b'.repeat(32) };
    const floor = { mark: to, index: Number.MAX_SAFE_INTEGER };
    const index = Number.MAX_SAFE_INTEGER;
    const id = {
      key: scope.keys.id(draft()),
      value: Buffer.alloc(0),
      createIndex: index,
      modifyIndex: index,
    };
    const segments = Array.from({ length: segmentsPerTransaction }, (_, segment) => segment);
    for (const operations of [
      raiseOperations(scope, { from: floor, to, open, mark: 'f'.repeat(16) }),
      forgetOperations(
        scope,
        floor,
        Array.from({ length: idsPerTransaction }, () => id),
      ),
      removeOperations(scope, floor, segments),
    ]) {
      assert.ok(operations.length <= 64);
      assert.ok(JSON.stringify(operations.map((KV) => ({ KV }))).length <= 512 * 1024);
    }
  });

  it('are refused because the entry exists, whatever else was wrong', () => {
    const refused = (...indexes: number[]) =>
      refusalOf({ type: 'refused', refusals: indexes.map((opIndex) => ({ opIndex, what: '' })) });
    assert.equal(refused(0), 'segment-ended');
    assert.equal(refused(0, 1, 2), 'exists');
    assert.equal(refused(1), 'exists');
    assert.equal(refused(2), 'occupied');
  });

  it('name positions that can be read back, and no others', () => {
    const mark = { index: 42, segment: 7, id: 'b'.repeat(32) };
    assert.deepEqual(parsePosition(toPosition(mark)), mark);
    assert.deepEqual(parsePosition(genesis), { index: 0, segment: 0, id: '' });
    for (const text of [
      '42',
      '42:7',
      `042:7:${mark.id}`,
      `42:07:${mark.id}`,
      `42:7:${mark.id}0`,
      `-1:0:${mark.id}`,
    ]) {
      assert.equal(parsePosition(text as Position), undefined, text);
    }
  });

  it('call a head that something else wrote damage', () => {
    const head = (value: string) => ({ key: 'k', value: Buffer.from(value), createIndex: 1, modifyIndex: 9 });
    assert.equal(toPosition(headOf(scope, head(''))), genesis);
    assert.equal(headOf(scope, head(`3 ${'b'.repeat(32)}`)).index, 9);
    for (const stored of [undefined, head('x'), head(`3 ${'B'.repeat(32)}`)]) {
      assert.throws(
        () => headOf(scope, stored),
        (error) => isWeftError(error, 'log-damaged'),
      );
    }
  });

  it('are believed only in the shape that Consul gives them', () => {
    const pair = { Key: 'k', Value: 'YQ==', CreateIndex: 1, ModifyIndex: 2 };
    assert.deepEqual(parseResults({ Results: [{ KV: pair }], Errors: null })[0]?.value, Buffer.from('a'));
    assert.equal(parseList([{ ...pair, Value: null }])[0]?.value.length, 0);
    assert.deepEqual(parseResults({ Results: null }), []);
    for (const body of [undefined, '<html>', {}, [{}], [{ ...pair, CreateIndex: 'x' }]]) {
      assert.throws(() => parseList(body), ConsulCallError);
      assert.throws(() => parseRefusals(body), ConsulCallError);
    }
  });
});
