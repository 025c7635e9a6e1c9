import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { isWeftError } from '../core/errors.ts';
import { isRoot, skipBecause } from '../test/support/requirements.ts';
import { Client } from './client.ts';
import { version } from './version.ts';

describe('the client of the API', () => {
  let folder: string;
  let socket: string;
  let server: Server | undefined;
  let client: Client;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-client-'));
    socket = join(folder, 'weft.sock');
    client = new Client({ socket });
  });

  afterEach(async () => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  const serve = (listener: RequestListener): Promise<void> => {
    const made = createServer(listener);
    server = made;
    return new Promise((resolve) => made.listen(socket, resolve));
  };
  const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Promise<void> => {
    return serve((_request, response) => {
      response.writeHead(status, headers);
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  };
  const own = { 'weft-version': version };

  it('says that no daemon is there and what to do', async () => {
    await assert.rejects(client.call('listNetworks'), (error) => {
      return (
        isWeftError(error, 'daemon-unreachable') &&
        error.message.includes(socket) &&
        error.message.includes('no such socket') &&
        error.message.includes('weft daemon')
      );
    });
  });

  it('says so as well where nothing listens any more, also for changes', async () => {
    await serve(() => undefined);
    // Taking the listener away and leaving the file is what a killed daemon does.
    const { rename } = await import('node:fs/promises');
    await rename(socket, `${socket}.kept`);
    server?.close();
    await new Promise((resolve) => server?.once('close', resolve));
    await rename(`${socket}.kept`, socket);
    for (const call of [client.call('status'), client.call('createNetwork', { body: { name: 'red' } })]) {
      await assert.rejects(call, (error) => isWeftError(error, 'daemon-unreachable'));
    }
  });

  it('says that the socket may not be used and what to do', async function () {
    if (isRoot()) skipBecause(this, 'root may use any socket; the root spec of the socket has it');
    await answer(200, {});
    await chmod(socket, 0);
    await assert.rejects(client.call('status'), (error) => isWeftError(error, 'permission-denied'));
  });

  it('gives problems back as the errors that they were', async () => {
    const problem = {
      code: 'name-taken',
      detail: 'It is taken',
      details: { ordinal: 7, odd: null },
      status: 409,
    };
    await answer(409, problem);
    await assert.rejects(client.call('status'), (error) => {
      assert.ok(isWeftError(error, 'name-taken'));
      assert.equal(error.message, 'It is taken');
      assert.deepEqual(error.details, { ordinal: 7 });
      return true;
    });
  });

  it('keeps the message of a code that it does not know', async () => {
    await answer(409, { code: 'from-the-future', detail: 'Something new' });
    await assert.rejects(client.call('status'), (error) => {
      return (
        isWeftError(error, 'internal') &&
        error.message === 'Something new' &&
        error.details['code'] === 'from-the-future'
      );
    });
  });

  it('refuses what is no answer of weft', async () => {
    for (const [status, body] of [
      [200, 'hello'],
      [500, '<html>'],
      [404, { message: 'not ours' }],
      [200, ''],
    ] as const) {
      await answer(status, body);
      await assert.rejects(client.call('status'), (error) => isWeftError(error, 'internal'));
      server?.close();
    }
  });

  it('validates answers of another version, and says what is wrong with them', async () => {
    await answer(200, { ordinal: 'x', storeReachable: true, items: [] }, { 'weft-version': '99.0.0' });
    await assert.rejects(client.call('listNetworks'), (error) => {
      return isWeftError(error, 'internal') && error.message.includes('answer.ordinal: expected number');
    });
  });

  it('takes members of a newer version that it does not know', async () => {
    await answer(200, { status: 'ok', more: 1 }, { 'weft-version': '99.0.0' });
    assert.deepEqual(await client.call('healthy'), { status: 'ok' });
  });

  it('validates answers of its own version when asked to', async () => {
    await answer(200, { status: 'odd' }, own);
    assert.deepEqual(await client.call('healthy'), { status: 'odd' });
    const strict = new Client({ socket, validate: true });
    await assert.rejects(strict.call('healthy'), (error) => isWeftError(error, 'internal'));
  });

  it('tells a change that got no answer from a read that got none', async () => {
    await serve((request) => request.socket.destroy());
    await assert.rejects(client.call('status'), (error) => isWeftError(error, 'daemon-unreachable'));
    const change = client.call('createNetwork', { body: { name: 'red' } });
    await assert.rejects(change, (error) => isWeftError(error, 'outcome-unknown'));
  });

  it('does not take half an answer for one', async () => {
    await serve((request, response) => {
      response.writeHead(200, { ...own, 'content-length': '100' });
      response.write('{"status":"ok"');
      setImmediate(() => request.socket.destroy());
    });
    await assert.rejects(client.call('healthy'), (error) => isWeftError(error, 'daemon-unreachable'));
  });

  it('waits no longer than it was told', async () => {
    await serve(() => undefined);
    const hasty = new Client({ socket, waitMs: 20 });
    await assert.rejects(hasty.call('status'), (error) => isWeftError(error, 'daemon-unreachable'));
    await assert.rejects(hasty.call('removeHost', { params: { name: 'h1' } }), (error) => {
      return isWeftError(error, 'outcome-unknown');
    });
  });

  it('encodes whatever a name may hold', async () => {
    const seen: (string | undefined)[] = [];
    await serve((request, response) => {
      seen.push(request.url);
      response.writeHead(200, own).end('{}');
    });
    await client.call('inspectEndpoint', { params: { ref: 'red/../we b?#%' } });
    await client.call('listEndpoints', { query: { network: 'a&b=c' } });
    assert.deepEqual(seen, ['/v1/endpoints/red%2F..%2Fwe%20b%3F%23%25', '/v1/endpoints?network=a%26b%3Dc']);
  });

  it('refuses an empty name, which would mean another route', async () => {
    await assert.rejects(client.call('removeNetwork', { params: { ref: '' } }), (error) =>
      isWeftError(error, 'malformed'),
    );
  });
});
