import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  asCallError,
  completed,
  judge,
  readError,
  writeError,
  ZookeeperCallError,
  zkCode,
} from './errors.ts';

const refused = (code: number) => new ZookeeperCallError('refused', 'refused', code);

describe('zookeeper errors', () => {
  it('are definite about what was not sent, and unknown about what lost its answer', () => {
    assert.equal(judge(new ZookeeperCallError('not-sent', 'x')), 'store-unreachable');
    for (const stage of ['timed-out', 'cancelled', 'lost'] as const) {
      assert.equal(judge(new ZookeeperCallError(stage, 'x')), 'outcome-unknown', stage);
    }
  });

  it('know what a refusal means, and take a code that they do not know for unknown', () => {
    assert.equal(judge(refused(zkCode.noAuth)), 'store-auth');
    assert.equal(judge(refused(zkCode.authFailed)), 'store-auth');
    assert.equal(judge(refused(zkCode.invalidAcl)), 'store-auth');
    assert.equal(judge(refused(zkCode.quotaExceeded)), 'store-full');
    assert.equal(judge(refused(zkCode.sessionExpired)), 'store-unreachable');
    assert.equal(judge(refused(zkCode.sessionMoved)), 'store-unreachable');
    assert.equal(judge(refused(-6)), 'outcome-unknown');
    // Told while the answer was awaited: the connection is lost, and it is known why.
    assert.equal(judge(new ZookeeperCallError('lost', 'x', zkCode.authFailed)), 'store-auth');
  });

  it('say what, why and what to do, in one line; a read has no unknown outcome', () => {
    const lost = new ZookeeperCallError('lost', 'the connection\n ended');
    const write = writeError(lost, 'append to', 'zookeeper://h:1/p');
    assert.equal(write.code, 'outcome-unknown');
    assert.match(write.message, /^Cannot append to zookeeper:\/\/h:1\/p: the connection ended; .*\.$/);
    assert.equal(readError(lost, 'read', 'x').code, 'store-unreachable');
    assert.equal(readError(refused(zkCode.noAuth), 'read', 'x').code, 'store-auth');
  });

  it('never say that nothing happened once a first transaction was carried out', async () => {
    const failed = async (error: Error) => {
      const thrown = await completed(() => Promise.reject(error)).catch((caught: unknown) => caught);
      return thrown instanceof ZookeeperCallError ? judge(thrown) : thrown;
    };
    assert.equal(await failed(new ZookeeperCallError('not-sent', 'x')), 'outcome-unknown');
    assert.equal(await failed(new ZookeeperCallError('lost', 'x')), 'outcome-unknown');
    assert.equal(await failed(refused(zkCode.noAuth)), 'store-auth');
    const defect = new TypeError('a defect');
    assert.equal(await failed(defect), defect);
    assert.equal(await completed(() => Promise.resolve(7)), 7);
  });

  it('let defects through', () => {
    const defect = new TypeError('a defect');
    assert.throws(() => asCallError(defect), defect);
    const call = refused(-1);
    assert.equal(asCallError(call), call);
  });
});
