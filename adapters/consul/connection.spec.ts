/** What becomes of a call that fails, against a server that answers what the test says. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'mocha';
import { never } from '../../test/support/log-drafts.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import { openChannel } from './channel.ts';
import { Connection } from './connection.ts';
import { ConsulCallError, judge } from './errors.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}

const lost: Answer = { status: 500, body: 'rpc error: EOF' };
const leaderless: Answer = { status: 500, body: 'No cluster leader' };
const forbidden: Answer = { status: 403, body: 'Permission denied' };
const done: Answer = { status: 200, body: '{"Results":[],"Errors":null}' };

/** Gives the answers one after the other to one call; tells the verdict on it and how many were asked for. */
async function outcomeOf(
  answers: readonly Answer[],
  call: (connection: Connection) => Promise<unknown>,
): Promise<{ readonly verdict: string; readonly asked: number }> {
  let asked = 0;
  const server = createServer((_request, response) => {
    const { status, body } = answers[asked] ?? lost;
    asked += 1;
    response
      .writeHead(status, { 'content-type': status === 200 ? 'application/json' : 'text/plain' })
      .end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const options = { hosts: [{ host: '127.0.0.1', port }], prefix: '/weft' };
  const connection = new Connection(options, new SystemClock(), new SystemRandom(), openChannel);
  try {
    const verdict = await call(connection).then(
      () => 'done',
      (error: unknown) => (error instanceof ConsulCallError ? judge(error) : String(error)),
    );
    return { verdict, asked };
  } finally {
    connection.close();
    server.close();
  }
}

describe('the connection to Consul', () => {
  const operations = [{ Verb: 'delete-tree', Key: 'weft/x/' }] as const;
  const write = (connection: Connection) => connection.write(operations, never());
  const repeat = (connection: Connection) => connection.repeat(operations, never());

  it('sends a write once, whatever becomes of it', async () => {
    assert.deepEqual(await outcomeOf([lost, done], write), { verdict: 'outcome-unknown', asked: 1 });
  });

  it('repeats a write that may be repeated', async () => {
    assert.deepEqual(await outcomeOf([lost, leaderless, done], repeat), { verdict: 'done', asked: 3 });
    assert.deepEqual(await outcomeOf([forbidden], repeat), { verdict: 'store-auth', asked: 1 });
  });

  it('does not say of a write that nothing happened when an earlier try of it may have been carried out', async () => {
    const first = { verdict: 'outcome-unknown', asked: 3 };
    assert.deepEqual(await outcomeOf([lost, leaderless, leaderless], repeat), first);
    assert.deepEqual(await outcomeOf([lost, forbidden], repeat), { ...first, asked: 2 });
    const nothing = { verdict: 'store-unreachable', asked: 3 };
    assert.deepEqual(await outcomeOf([leaderless, leaderless, leaderless], repeat), nothing);
  });
});
