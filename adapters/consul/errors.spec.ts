import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ConsulCallError, judge, readError, writeError } from './errors.ts';

const status = (code: number, words = '') =>
  new ConsulCallError('status', `n0 answered ${code}: ${words}`, code);

describe('consul errors', () => {
  const cases: readonly (readonly [string, ConsulCallError, string])[] = [
    ['nothing was sent', new ConsulCallError('not-sent', 'refused'), 'store-unreachable'],
    ['our deadline passed', new ConsulCallError('timed-out', 'late'), 'outcome-unknown'],
    ['the caller gave up', new ConsulCallError('cancelled', 'enough'), 'outcome-unknown'],
    ['the connection broke', new ConsulCallError('broken', 'ECONNRESET'), 'outcome-unknown'],
    ['the token is unknown', status(403, 'ACL not found'), 'store-auth'],
    ['another server says so', status(500, 'rpc error making call: ACL not found'), 'store-auth'],
    ['the policy says no', status(403, 'Permission denied'), 'store-auth'],
    ['no leader is known', status(500, 'No cluster leader'), 'store-unreachable'],
    ['the leader was lost', status(500, 'leadership lost while committing log'), 'outcome-unknown'],
    ['the leader ended', status(500, 'rpc error making call: EOF'), 'outcome-unknown'],
    ['status 500 says nothing', status(500), 'outcome-unknown'],
    ['a gateway answers', status(502), 'outcome-unknown'],
    ['there are too many requests', status(429), 'store-unreachable'],
    [
      'plain HTTP meets TLS',
      status(400, 'Client sent an HTTP request to an HTTPS server.'),
      'store-unreachable',
    ],
    ['it is no Consul', status(404, 'page not found'), 'store-unreachable'],
    ['the body is too large', status(413), 'too-large'],
  ];
  for (const [title, error, code] of cases) {
    it(`${code} when ${title}`, () => {
      assert.equal(judge(error), code);
      assert.equal(writeError(error, 'append to', 'consul://h').code, code);
    });
  }

  it('leave no read with an unknown outcome', () => {
    for (const [, error] of cases) {
      const read = readError(error, 'read', 'consul://h');
      assert.notEqual(read.code, 'outcome-unknown');
      assert.doesNotMatch(read.message, /\n/);
    }
  });

  it('pass on one short line of what a server says', () => {
    const { message } = status(500, `one\ntwo ${'x'.repeat(5000)}`);
    assert.doesNotMatch(message, /\n/);
    assert.ok(message.length <= 200);
  });
});
