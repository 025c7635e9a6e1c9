import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type CallStage, EtcdCallError, judge, readError, wantsNewToken, writeError } from './errors.ts';

/** Status, words and stage as met with etcd 3.4.23 and grpc-js 1.14. */
const cases: readonly (readonly [number | undefined, string, string, CallStage?])[] = [
  [14, 'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:2379', 'store-unreachable'],
  [14, 'Name resolution failed for target dns:nowhere:2379', 'store-unreachable'],
  [14, 'Channel closed before call started', 'store-unreachable'],
  [14, 'read ECONNRESET', 'outcome-unknown'],
  [14, 'Connection dropped', 'outcome-unknown'],
  [14, 'etcdserver: leader changed', 'outcome-unknown'],
  [14, 'etcdserver: request timed out', 'outcome-unknown'],
  [14, 'etcdserver: no leader', 'outcome-unknown'],
  [4, 'context deadline exceeded', 'outcome-unknown'],
  [1, 'Cancelled on client', 'outcome-unknown'],
  [13, 'Received RST_STREAM with code 2', 'outcome-unknown'],
  [2, 'etcdserver: something new', 'outcome-unknown'],
  [undefined, 'no status at all', 'outcome-unknown'],
  [8, 'etcdserver: mvcc: database space exceeded', 'store-full'],
  [8, 'etcdserver: too many requests', 'store-unreachable'],
  [3, 'etcdserver: request is too large', 'too-large'],
  [8, 'grpc: received message larger than max (2100000 vs. 2097152)', 'too-large'],
  [16, 'etcdserver: invalid auth token', 'store-auth'],
  [3, 'etcdserver: user name is empty', 'store-auth'],
  [3, 'etcdserver: authentication failed, invalid user ID or password', 'store-auth'],
  [7, 'etcdserver: permission denied', 'store-auth'],
  [12, 'Received HTTP status code 404', 'store-unreachable'],
  [undefined, 'nothing was sent', 'store-unreachable', 'not-sent'],
  [undefined, 'no answer in time', 'outcome-unknown', 'timed-out'],
  [undefined, 'given up', 'outcome-unknown', 'cancelled'],
];

describe('etcd errors', () => {
  for (const [status, message, code, stage = 'status'] of cases) {
    it(`takes ${stage} ${status ?? ''} "${message}" for ${code}`, () => {
      assert.equal(judge(new EtcdCallError(stage, message, status)), code);
    });
  }

  it('renews a token only where a token is at fault', () => {
    assert.equal(wantsNewToken(new EtcdCallError('status', 'etcdserver: invalid auth token', 16)), true);
    assert.equal(wantsNewToken(new EtcdCallError('status', 'etcdserver: permission denied', 7)), false);
  });

  it('tells readers that the store is unreachable where writers are told that the outcome is unknown', () => {
    const error = new EtcdCallError('timed-out', 'h1:2379 did not answer within 1000 ms');
    assert.equal(writeError(error, 'append to', 'etcd://h1:2379/weft').code, 'outcome-unknown');
    assert.equal(readError(error, 'read', 'etcd://h1:2379/weft').code, 'store-unreachable');
  });

  it('says on one line what failed, why, and what to do', () => {
    const error = new EtcdCallError('not-sent', 'first\n  second');
    const { message } = writeError(error, 'append to', 'etcd://h1:2379/weft');
    assert.equal(
      message,
      'Cannot append to etcd://h1:2379/weft: first second; ' +
        'check that etcd runs, that it has a leader, and that the URL is right.',
    );
  });
});
