import assert from 'node:assert/strict';
import { connect } from 'node:net';
import fc from 'fast-check';
import { after, before, describe, it } from 'mocha';
import { bodyBytesMax } from '../../api/limits.ts';
import { ApiFixture, type Reply } from '../../test/support/api-fixture.ts';
import { runs } from '../../test/support/property-settings.ts';

const json = { 'content-type': 'application/json' };

describe('abuse of the API', () => {
  let api: ApiFixture;

  before(async () => {
    api = await ApiFixture.start();
  });

  after(() => api.stop());

  const refused = (reply: Reply, code: string, detail: RegExp): void => {
    const problem = JSON.parse(reply.text);
    assert.equal(problem.code, code, reply.text);
    assert.equal(reply.status, problem.status);
    assert.match(problem.detail, detail);
    assert.equal(reply.headers['content-type'], 'application/problem+json');
    assert.doesNotMatch(reply.text, /\.[jt]s:\d|\\n +at /);
    assert.ok(!/[\n\r\0\u001b]/.test(problem.detail), 'one printable line');
  };
  const post = (body: string | Buffer, headers: Record<string, string> = json, path = '/v1/networks') => {
    return api.request(path, { method: 'POST', headers, body });
  };

  const bodies: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ['no JSON', '{"name":', /not JSON/],
    ['nothing', '', /empty|not JSON|expected object/],
    ['broken UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /not UTF-8/],
    ['an array', '[]', /body: expected object, received array/],
    ['null', 'null', /body: expected object, received null/],
    ['a number', '1e400', /body: expected object/],
    ['an unknown member', '{"name":"red","nmae":"x"}', /body: unknown member "nmae"/],
    [
      'an unknown member inside',
      '{"name":"red","subnets":[{"prefix":"10.0.0.0/24","x":1}]}',
      /body\.subnets\[0\]: unknown member "x"/,
    ],
    ['a missing member', '{}', /body\.name: expected string, received undefined/],
    [
      'a wrong type',
      '{"name":"red","subnets":[{"prefix":"10.0.0.0/24","gateway":1}]}',
      /body\.subnets\[0\]\.gateway: expected string, received number/,
    ],
    ['two mistakes', '{"name":1,"driver":2}', /\(and 1 more\)/],
    ['__proto__', '{"name":"red","__proto__":{"x":1}}', /not JSON|not understood|prototype/],
    [
      '__proto__ inside a map',
      '{"name":"red","labels":{"__proto__":"x"}}',
      /not JSON|not understood|prototype/,
    ],
    [
      'a constructor with a prototype',
      '{"name":"red","constructor":{"prototype":{"x":1}}}',
      /not JSON|not understood|prototype/,
    ],
    ['NUL in a name', '{"name":"a\\u0000b"}', /body\.name: has characters that cannot be shown/],
    ['a line feed in a name', '{"name":"a\\nb"}', /body\.name: has characters/],
    ['half a surrogate pair', '{"name":"\\ud800"}', /body\.name: has characters/],
    ['NUL in a label', '{"name":"red","labels":{"a":"\\u0000"}}', /body\.labels\.a: has characters/],
    ['a name of 300 characters', JSON.stringify({ name: 'a'.repeat(300) }), /body\.name: .*255/],
    [
      '100 labels',
      JSON.stringify({
        name: 'red',
        labels: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, 'v'])),
      }),
      /body\.labels: has more than 64 members/,
    ],
    [
      '17 subnets',
      JSON.stringify({ name: 'red', subnets: Array.from({ length: 17 }, () => ({ prefix: 'x' })) }),
      /body\.subnets: .*16/,
    ],
    ['escape sequences in a key', '{"name":"red","\\u001b[2J":1}', /unknown member "\\u001b\[2J"/],
    ['a depth of 50,000', '['.repeat(50_000) + ']'.repeat(50_000), /expected object, received array/],
    [
      'a depth of 20,000 in a member',
      `{"name":"red","labels":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`,
      /body\.labels\.a: expected string/,
    ],
  ];
  for (const [what, body, detail] of bodies) {
    it(`refuses ${what} as a body`, async () => refused(await post(body), 'malformed', detail));
  }

  it('refuses a body over its bound before reading it', async () => {
    refused(await post(JSON.stringify({ name: 'a'.repeat(bodyBytesMax) })), 'too-large', /131072 bytes/);
  });

  it('takes a body as large as its bound', async () => {
    const empty = JSON.stringify({ name: '' });
    refused(
      await post(JSON.stringify({ name: 'a'.repeat(bodyBytesMax - empty.length) })),
      'malformed',
      /255/,
    );
  });

  it('refuses other types of body', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense']) {
      refused(await post('{"name":"red"}', { 'content-type': type }), 'malformed', /application\/json/);
    }
  });

  it('takes compressed bytes for what they are: no JSON', async () => {
    const gzip = Buffer.from([0x1f, 0x8b, 0x08, 0x00]);
    refused(await post(gzip, { ...json, 'content-encoding': 'gzip' }), 'malformed', /not UTF-8|not JSON/);
  });

  const paths: readonly (readonly [string, string, string, RegExp])[] = [
    ['GET', '/', 'not-found', /no GET \//],
    ['GET', '/v1', 'not-found', /no GET \/v1/],
    ['GET', '/v2/networks', 'not-found', /no GET/],
    ['GET', '/v1/networks/', 'malformed', /path\.ref/],
    ['GET', '/v1/networks/a/b', 'not-found', /no GET/],
    ['PUT', '/v1/networks', 'not-found', /no PUT \/v1\/networks/],
    ['PATCH', '/v1/networks/red', 'not-found', /no PATCH/],
    ['OPTIONS', '/v1/networks', 'not-found', /no OPTIONS/],
    ['POST', '/v1/status', 'not-found', /no POST/],
    ['GET', '/v1/networks?x=1', 'malformed', /query: unknown member "x"/],
    ['GET', '/v1/log?limit=x', 'malformed', /query\.limit: is not a whole number/],
    ['GET', '/v1/log?limit=0', 'malformed', /query\.limit: is not within 1 and 10000/],
    ['GET', '/v1/log?limit=99999', 'malformed', /query\.limit/],
    ['GET', '/v1/log?after=-1', 'malformed', /query\.after/],
    ['GET', '/v1/log?after=1&after=2', 'malformed', /query\.after: expected string, received array/],
    ['GET', '/v1/networks/%ff', 'malformed', /percent-encoded/],
    ['GET', '/v1/networks/%', 'malformed', /percent-encoded/],
    ['GET', '/v1/networks/%00', 'malformed', /path\.ref: has characters/],
    ['GET', `/v1/networks/${'a'.repeat(256)}`, 'malformed', /path\.ref/],
    ['GET', `/v1/networks/${'a'.repeat(4_000)}`, 'malformed', /too long|path\.ref/],
    ['GET', '/v1/networks/..', 'no-such-network', /./],
    ['GET', '/v1/networks/..%2f..%2fetc', 'no-such-network', /./],
    ['DELETE', '/v1/networks/neither', 'no-such-network', /./],
    ['GET', '/v1/networks/__proto__', 'no-such-network', /./],
    ['GET', '/v1/hosts/constructor', 'no-such-host', /./],
  ];
  for (const [method, path, code, detail] of paths) {
    it(`answers ${method} ${path.slice(0, 40)} with ${code}`, async () => {
      refused(await api.request(path, { method }), code, detail);
    });
  }

  it('refuses a body where there is none', async () => {
    const reply = await api.request('/v1/networks/red', {
      method: 'DELETE',
      headers: { ...json, 'content-length': '14' },
      body: '{"force":true}',
    });
    refused(reply, 'malformed', /takes no body/);
  });

  const raw = (text: string): Promise<string> => {
    return new Promise((resolve, reject) => {
      const socket = connect(api.socket);
      let answer = '';
      socket.setEncoding('utf8');
      socket.on('data', (chunk: string) => (answer += chunk));
      socket.on('end', () => resolve(answer));
      socket.on('error', reject);
      socket.write(text);
    });
  };

  it('answers what is no HTTP with a problem and closes', async () => {
    for (const text of [
      'nonsense\r\n\r\n',
      'GET /\u0000 HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.1\r\nHost\r\n\r\n',
    ]) {
      const answer = await raw(text);
      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.equal(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).code, 'malformed');
    }
  });

  it('refuses headers without end', async () => {
    const answer = await raw(`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`);
    assert.match(answer, /the headers are too large/);
  });

  it('makes nothing of any of it', () => {
    assert.equal(api.control.state.ordinal, 1);
  });

  it('answers any JSON with 4xx or a network', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 4 }), async (text) => {
        const reply = await post(text);
        assert.ok(
          reply.status === 201 || (reply.status >= 400 && reply.status < 500),
          `${reply.status} ${text}`,
        );
      }),
      { numRuns: runs(200) },
    );
  });

  it('is still there afterwards', async () => {
    assert.equal((await api.request('/healthz')).status, 200);
  });
});
