/** Calls to servers on loopback that do what a real one does rarely. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, it } from 'mocha';
import { never } from '../../test/support/log-drafts.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { SystemClock } from '../system/clock.ts';
import { openChannel } from './channel.ts';
import { ConsulCallError, judge } from './errors.ts';
import { Member } from './member.ts';

const pair = { Key: 'k', Value: 'YQ==', CreateIndex: 3, ModifyIndex: 4 };
/** Longer than mocha lets a test take: whoever waits for it has failed. */
const endless = { deadlineMs: 60_000, signal: never() };

describe('a member of a Consul cluster', () => {
  const servers: Server[] = [];
  const members: Member[] = [];
  afterEach(() => {
    for (const member of members.splice(0)) member.close();
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  async function memberOf(listener: RequestListener, host = '127.0.0.1'): Promise<Member> {
    const server = createServer(listener).listen(0, host);
    servers.push(server);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return remember(
      new Member({ host, port }, { hosts: [], prefix: '/weft' }, new SystemClock(), openChannel),
    );
  }
  function remember(member: Member): Member {
    members.push(member);
    return member;
  }
  const json: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-consul-index': '17' });
    response.end(JSON.stringify([pair]));
  };
  const failureOf = async (promise: Promise<unknown>): Promise<ConsulCallError> => {
    const error = await promise.then(
      () => assert.fail('it was answered'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ConsulCallError, String(error));
    return error;
  };

  it('reads keys with their indexes, and the index to wait with', async () => {
    const member = await memberOf(json);
    const wanted = { key: 'k', value: Buffer.from('a'), createIndex: 3, modifyIndex: 4 };
    assert.deepEqual(await member.get('k', endless), wanted);
    assert.deepEqual(await member.list('k', {}, endless), { found: [wanted], index: 17 });
  });

  it('asks linearizably, and waits, as it is told', async () => {
    const urls: string[] = [];
    const member = await memberOf((request, response) => {
      urls.push(request.url ?? '');
      json(request, response);
    });
    await member.get('weft/k', endless);
    await member.list('weft/f/', { index: 5, waitMs: 3000 }, endless);
    assert.deepEqual(urls, [
      '/v1/kv/weft%2Fk?consistent=1',
      '/v1/kv/weft%2Ff%2F?recurse=true&index=5&wait=3000ms',
    ]);
  });

  it('is reached over IPv6', async function test() {
    const addresses = Object.values(networkInterfaces()).flat();
    if (!addresses.some((one) => one?.address === '::1')) skipBecause(this, 'no IPv6 on loopback');
    const member = await memberOf(json, '::1');
    assert.equal((await member.get('k', endless))?.key, 'k');
  });

  it('notices on a line of its own when a connection ends within an answer', async () => {
    const member = await memberOf((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('[{"Key":', () => response.socket?.resetAndDestroy());
    });
    const line = remember(member.line());
    assert.equal((await failureOf(line.list('k', {}, endless))).stage, 'broken');
  });

  it('gives up at its deadline and at the wish of its caller, and knows not what became of it', async () => {
    const member = await memberOf(() => {});
    const late = await failureOf(member.get('k', { deadlineMs: 20, signal: never() }));
    assert.equal(late.stage, 'timed-out');
    const controller = new AbortController();
    const cancelled = failureOf(member.get('k', { deadlineMs: 60_000, signal: controller.signal }));
    controller.abort();
    assert.equal((await cancelled).stage, 'cancelled');
    for (const error of [late, await cancelled]) assert.equal(judge(error), 'outcome-unknown');
  });

  it('is sure that nothing was sent when there is no connection, or the caller gave up before', async () => {
    const member = await memberOf(json);
    assert.equal(
      (await failureOf(member.get('k', { deadlineMs: 1, signal: AbortSignal.abort() }))).stage,
      'not-sent',
    );
    for (const server of servers.splice(0)) {
      server.close();
      await once(server, 'close');
    }
    assert.equal((await failureOf(member.get('k', endless))).stage, 'not-sent');
  });

  it('does not take another server for Consul', async () => {
    const answers: readonly [number, string, string][] = [
      [200, 'text/html', '<html>'],
      [200, 'application/json', '{"welcome":true}'],
      [200, 'application/json', '{'],
      [404, 'text/plain', 'page not found'],
      [301, 'text/plain', 'elsewhere'],
    ];
    for (const [status, type, body] of answers) {
      const member = await memberOf((_request, response) => {
        response.writeHead(status, { 'content-type': type }).end(body);
      });
      await failureOf(member.get('k', endless));
    }
  });
});
