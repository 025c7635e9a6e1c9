import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { contract } from '../../api/contract.ts';
import { type Route, routeNames, routes } from '../../api/routes.ts';
import { ownedNamespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject } from '../../core/dataplane/object.ts';
import { type ErrorCode, errorTraits, isWeftError, WeftError } from '../../core/errors.ts';
import { ApiFixture } from '../../test/support/api-fixture.ts';

describe('the routes of the API', () => {
  let api: ApiFixture;

  beforeEach(async () => {
    api = await ApiFixture.start();
  });

  afterEach(() => api.stop());

  const create = (name: string, more: object = {}) => {
    return api.client.call('createNetwork', {
      body: { name, subnets: [{ prefix: '10.0.1.0/24' }], ...more },
    });
  };

  it('answer every operation of the contract', async () => {
    await create('red');
    const target = { ref: 'red', name: 'h1' };
    for (const name of routeNames) {
      const { method, path }: Route = routes[name];
      const filled = path.replace(/\{(\w+)\}/g, (_whole, key: keyof typeof target) => target[key]);
      const reply = await api.request(filled, { method });
      assert.notEqual(JSON.parse(reply.text).code, 'not-found', `${method} ${filled}`);
      assert.equal(reply.headers['weft-version'], '0.1.0');
    }
  });

  it('tell what a bundle is made of, in any phase, without what messages may hold', async () => {
    await create('red');
    api.control.phase = 'opening';
    api.control.health = { reachable: false, reason: 'connect etcd://weft:hunter2@h9:2379 failed' };
    const object: KernelObject = { kind: 'netns', ns: ownedNamespace('weft-1') };
    api.control.kernelEvidence = { objects: [object], steady: true };
    const reply = await api.request('/v1/evidence');
    assert.doesNotMatch(reply.text, /hunter2/);
    const evidence = await api.client.call('evidence');
    const { ordinal, recordHash, stateHash } = api.control.state;
    assert.deepEqual(
      [evidence.ordinal, evidence.recordHash, evidence.stateHash],
      [ordinal, recordHash, stateHash],
    );
    assert.equal(evidence.status.store.reason, 'connect etcd://…@h9:2379 failed');
    assert.deepEqual(evidence.objects, [object]);
    assert.deepEqual(evidence.configuration, { host: 'h1', 'netns-prefix': 'weft-' });
    assert.deepEqual(evidence.logLines, ['{"level":30,"message":"The daemon runs"}']);
  });

  it('give entries page by page, and refuse what is no page', async () => {
    await create('red');
    await create('blue', { space: 'blue' });
    const first = await api.client.call('entries', { query: { until: '3' } });
    assert.deepEqual([first.items.map(({ position }) => position), first.end], [['1', '2'], false]);
    const rest = await api.client.call('entries', { query: { after: '2', until: '3' } });
    assert.deepEqual([rest.items.length, rest.end], [1, true]);
    assert.match(rest.items[0]?.text ?? '', /"name":"blue"/);
    assert.equal((await api.request('/v1/log/entries')).status, 400);
    assert.equal((await api.request(`/v1/log/entries?until=${'x'.repeat(256)}`)).status, 400);
  });

  it('give what the entries of a trimmed log go on from, a chunk at a time', async () => {
    const start = { query: { until: '2', ordinal: '2' } };
    assert.deepEqual(await api.client.call('logStart', start), {});
    await create('red');
    const made = await api.control.makeSnapshot(new AbortController().signal);
    api.control.trim();
    assert.deepEqual((await api.client.call('logStart', start)).snapshot, made);
    const params = { ref: made.id };
    const { items } = await api.client.call('snapshotLines', { params, query: { chunk: '0' } });
    assert.match(items[0] ?? '', /"kind":"snapshot"/);
    assert.deepEqual(JSON.parse(items.at(-1) ?? ''), { kind: 'end', lines: items.length - 1 });
    for (const [ref, chunk, status] of [
      [made.id, '1', 500],
      [made.id, '8192', 400],
      [made.id, '-1', 400],
      [made.id.slice(1), '0', 400],
      ['..%2F..%2Fetc', '0', 400],
    ] as const) {
      const reply = await api.request(`/v1/store/snapshots/${ref}/lines?chunk=${chunk}`);
      assert.equal(reply.status, status, `${ref} ${chunk}`);
    }
    assert.equal((await api.request('/v1/log/start?until=2')).status, 400);
  });

  it('tell what is in the store, and make a snapshot when asked', async () => {
    const reply = await api.request('/v1/store/snapshot', { method: 'POST' });
    assert.equal(reply.status, 201, reply.text);
    const { id, ordinal } = JSON.parse(reply.text) as { id: string; ordinal: number };
    assert.equal(ordinal, 1);
    const view = await api.client.call('storeStatus');
    assert.deepEqual(
      view.snapshots?.map((one) => [one.id, one.ordinal, one.host]),
      [[id, 1, 'h1']],
    );
    assert.equal(api.control.checked, false);
    await api.client.call('storeStatus', { query: { check: 'true' } });
    assert.equal(api.control.checked, true);
    assert.equal((await api.client.call('status')).store.snapshotOrdinal, 1);
    api.control.phase = 'opening';
    api.control.health = { reachable: false, reason: 'connect etcd://weft:hunter2@h9:2379 failed' };
    const lost = await api.request('/v1/store');
    assert.equal(lost.status, 200);
    assert.doesNotMatch(lost.text, /hunter2/);
    assert.equal((await api.client.call('storeStatus')).snapshots, undefined);
    assert.equal((await api.request('/v1/store?check=yes')).status, 400);
  });

  it('create a network and show it in lists and by name, id and prefix', async () => {
    const { warnings, ...made } = await create('red', { labels: { tier: 'web' }, options: {} });
    assert.deepEqual(warnings, []);
    assert.match(made.id, /^[0-9a-f]{64}$/);
    assert.deepEqual(made.subnets, [{ prefix: '10.0.1.0/24', gateway: '10.0.1.1', aux: [] }]);
    assert.deepEqual(made.labels, { tier: 'web' });
    assert.equal(made.created.by, 'uid:1000');
    const list = await api.client.call('listNetworks');
    assert.deepEqual(
      list.items.filter(({ predefined }) => !predefined),
      [made],
    );
    assert.equal(list.ordinal, 2);
    assert.equal(list.storeReachable, true);
    for (const ref of ['red', made.id, made.id.slice(0, 12)]) {
      const { endpoints, ...network } = await api.client.call('inspectNetwork', { params: { ref } });
      assert.deepEqual(network, made);
      assert.deepEqual(endpoints, []);
    }
  });

  it('answer 201 where something was made and 200 otherwise', async () => {
    assert.equal((await api.post('/v1/networks', { name: 'red' })).status, 201);
    assert.equal((await api.post('/v1/networks/red/connect', { sandbox: 'c1' })).status, 201);
    assert.equal((await api.post('/v1/networks/red/disconnect', { ref: 'c1' })).status, 200);
    assert.equal((await api.request('/v1/networks/red', { method: 'DELETE' })).status, 200);
  });

  it('attach and detach, with address, MAC and names', async () => {
    await create('red');
    const body = { sandbox: 'c1', name: 'web', aliases: ['www'] };
    const endpoint = await api.client.call('connect', { params: { ref: 'red' }, body });
    assert.deepEqual(endpoint.addresses, ['10.0.1.2/24']);
    assert.equal(endpoint.mac, '02:42:0a:00:01:02');
    assert.equal(endpoint.ifname, 'eth0');
    assert.deepEqual(endpoint.names, ['web', 'web.red', 'www', 'www.red']);
    assert.equal(endpoint.sandbox.ref, 'c1');
    const detail = await api.client.call('inspectNetwork', { params: { ref: 'red' } });
    assert.deepEqual(detail.endpoints, [endpoint]);
    for (const ref of ['web', 'red/web', endpoint.id]) {
      assert.deepEqual(await api.client.call('inspectEndpoint', { params: { ref } }), endpoint);
    }
    const gone = await api.client.call('disconnect', { params: { ref: 'red' }, body: { ref: 'c1' } });
    assert.equal(gone.id, endpoint.id);
    assert.deepEqual((await api.client.call('listEndpoints')).items, []);
  });

  it('list endpoints of one network only when asked to', async () => {
    await create('red');
    await create('blue', { space: 'blue' });
    await api.client.call('connect', { params: { ref: 'red' }, body: { sandbox: 'c1', name: 'one' } });
    await api.client.call('connect', { params: { ref: 'blue' }, body: { sandbox: 'c1', name: 'two' } });
    const names = async (query: { network?: string }) => {
      return (await api.client.call('listEndpoints', { query })).items.map(({ name }) => name).sort();
    };
    assert.deepEqual(await names({}), ['one', 'two']);
    assert.deepEqual(await names({ network: 'blue' }), ['two']);
    await assert.rejects(names({ network: 'green' }), (error) => isWeftError(error, 'no-such-network'));
  });

  it('list what meets filters, and refuse those that are none', async () => {
    await create('red', { labels: { team: 'a b&c' } });
    await create('blue', { space: 'blue' });
    await api.client.call('connect', { params: { ref: 'red' }, body: { sandbox: 'c1', name: 'one' } });
    const names = async (...filter: string[]) => {
      const { items } = await api.client.call('listNetworks', { query: { filter } });
      return items.map(({ name }) => name).sort();
    };
    assert.deepEqual(await names('driver=overlay'), ['blue', 'red']);
    assert.deepEqual(await names('driver=overlay', 'dangling=true'), ['blue']);
    assert.deepEqual(await names('label=team=a b&c'), ['red']);
    assert.deepEqual(await names('type=custom', 'label!=team'), ['blue']);
    assert.deepEqual(await names('name=blue', 'name=red'), ['blue', 'red']);
    assert.deepEqual(await names('type=custom', 'until=2015-11-23T12:00:00Z'), []);
    const endpoints = async (filter: string[]) =>
      (await api.client.call('listEndpoints', { query: { filter } })).items.map(({ name }) => name);
    assert.deepEqual(await endpoints(['label=team']), ['one']);
    assert.deepEqual(await endpoints(['network=blue']), []);
    for (const [path, detail] of [
      ['networks?filter=nmae%3Dred', /no filter "nmae": did you mean name/],
      ['networks?filter=until%3Dnoon', /until "noon" is no time/],
      ['networks?filter=name', /has no key and value/],
      [`networks?filter=name%3D${'x'.repeat(8192)}`, /query\.filter/],
      [`networks?${'filter=name%3Dx&'.repeat(65)}`, /query\.filter/],
      ['endpoints?filter=dangling%3Dtrue', /no filter "dangling"/],
      ['endpoints?filter=label%3D', /label needs a key/],
    ] as const) {
      const reply = await api.request(`/v1/${path}`);
      assert.equal(reply.status, 400, path);
      assert.match(JSON.parse(reply.text).detail, detail);
    }
  });

  it('prune what nothing is on, leave what somebody connects to meanwhile, and refuse what is no filter', async () => {
    for (const name of ['red', 'busy', 'idle', 'kept'])
      await create(name, { space: name, labels: { [name]: '' } });
    await api.client.call('connect', { params: { ref: 'red' }, body: { sandbox: 'c1' } });
    for (const body of [{ filters: ['driver=overlay'] }, { filters: ['until=noon'] }, { filters: 'label=x' }])
      assert.equal((await api.post('/v1/networks/prune', body)).status, 400, JSON.stringify(body));
    api.control.before = async (method) => {
      if (method !== 'removeNetwork') return;
      api.control.before = undefined;
      await api.client.call('connect', { params: { ref: 'busy' }, body: { sandbox: 'c1' } });
    };
    const prune = async (...filters: string[]) =>
      (await api.client.call('pruneNetworks', { body: { filters } })).removed.map(({ name }) => name);
    assert.deepEqual(await prune('label!=kept'), ['idle']);
    assert.deepEqual(await prune(), ['kept']);
    assert.deepEqual(await prune(), []);
    const left = await api.client.call('listNetworks', { query: { filter: ['type=custom'] } });
    assert.deepEqual(left.items.map(({ name }) => name).sort(), ['busy', 'red']);
  });

  it('prune up to what fails, and say what that was and what was removed before it', async () => {
    for (const name of ['a', 'b', 'c']) await create(name, { space: name });
    const failAt = (count: number): void => {
      let removals = 0;
      api.control.before = async (method) => {
        if (method !== 'removeNetwork' || ++removals < count) return;
        throw new WeftError('store-unreachable', 'The store is gone: wait');
      };
    };
    failAt(2);
    const { removed, failure } = await api.client.call('pruneNetworks', { body: {} });
    assert.deepEqual(
      removed.map(({ name }) => name),
      ['a'],
    );
    assert.deepEqual(failure, {
      network: 'b',
      code: 'store-unreachable',
      detail: 'The store is gone: wait',
    });
    failAt(1);
    const nothingDone = api.client.call('pruneNetworks', { body: {} });
    await assert.rejects(nothingDone, (error) => isWeftError(error, 'store-unreachable'));
    api.control.before = undefined;
    const rest = await api.client.call('pruneNetworks', { body: {} });
    assert.deepEqual([rest.removed.map(({ name }) => name), rest.failure], [['b', 'c'], undefined]);
  });

  it('remove endpoints of any host and hosts', async () => {
    api.control.join('h2', '192.168.2.16');
    await create('red');
    await api.client.call('connect', { params: { ref: 'red' }, body: { sandbox: 'c1', name: 'web' } });
    const hosts = (await api.client.call('listHosts')).items;
    assert.deepEqual(
      hosts.map(({ name, self, endpoints }) => ({ name, self, endpoints })),
      [
        { name: 'h1', self: true, endpoints: 1 },
        { name: 'h2', self: false, endpoints: 0 },
      ],
    );
    assert.equal((await api.client.call('removeEndpoint', { params: { ref: 'web' } })).name, 'web');
    assert.equal((await api.client.call('removeHost', { params: { name: 'h2' } })).name, 'h2');
    const gone = api.client.call('inspectHost', { params: { name: 'h2' } });
    await assert.rejects(gone, (error) => isWeftError(error, 'no-such-host'));
    assert.equal((await api.client.call('inspectHost', { params: { name: 'H1' } })).name, 'h1');
  });

  it('show the log with outcomes, after an ordinal and as many as asked for', async () => {
    await create('red');
    await assert.rejects(create('red'), (error) => isWeftError(error, 'name-taken'));
    const all = (await api.client.call('log')).items;
    assert.deepEqual(
      all.map(({ ordinal, accepted, code }) => ({ ordinal, accepted, code })),
      [
        { ordinal: 1, accepted: true, code: undefined },
        { ordinal: 2, accepted: true, code: undefined },
        { ordinal: 3, accepted: false, code: 'name-taken' },
      ],
    );
    assert.equal(all[1]?.record?.kind, 'network-create');
    const ordinals = async (query: { after?: string; limit?: string }) => {
      return (await api.client.call('log', { query })).items.map(({ ordinal }) => ordinal);
    };
    assert.deepEqual(await ordinals({ after: '1' }), [2, 3]);
    assert.deepEqual(await ordinals({ limit: '1' }), [3]);
  });

  it('show status and doctor', async () => {
    const status = await api.client.call('status');
    assert.deepEqual(
      status,
      JSON.parse(JSON.stringify(await api.control.status(new AbortController().signal))),
    );
    assert.equal((await api.client.call('doctor')).healthy, true);
    api.control.doctorReport = {
      ...api.control.doctorReport,
      repairs: [],
      failing: [
        {
          object: { kind: 'netns', ns: 'net:weft-1' as never },
          text: 'ip netns add',
          reason: 'EPERM',
          attempts: 3,
        },
      ],
    };
    const report = await api.client.call('doctor');
    assert.equal(report.healthy, false);
    assert.deepEqual(report.failing, [
      { kind: 'netns', namespace: 'net:weft-1', text: 'ip netns add', reason: 'EPERM', attempts: 3 },
    ]);
  });

  it('say in headers and lists that the store cannot be reached, and read on', async () => {
    await create('red');
    api.control.health = { reachable: false, reason: 'connection refused' };
    const reply = await api.request('/v1/networks');
    assert.equal(reply.status, 200);
    assert.equal(reply.headers['weft-store'], 'unreachable');
    assert.equal(reply.headers['weft-ordinal'], '2');
    assert.equal(JSON.parse(reply.text).storeReachable, false);
    assert.equal(JSON.parse(reply.text).items.length, 5);
    assert.equal((await api.client.call('doctor')).storeReason, 'connection refused');
  });

  it('give a change the ordinal after it', async () => {
    assert.equal((await api.post('/v1/networks', { name: 'red' })).headers['weft-ordinal'], '2');
  });

  it('refuse reads until the fold has caught up once, and never afterwards', async () => {
    api.control.phase = 'opening';
    api.control.phaseReason = 'the store does not answer';
    for (const path of [
      '/v1/networks',
      '/v1/endpoints',
      '/v1/hosts',
      '/v1/log',
      '/v1/networks/red',
      '/readyz',
    ]) {
      const reply = await api.request(path);
      assert.equal(JSON.parse(reply.text).code, 'not-ready', path);
      assert.match(JSON.parse(reply.text).detail, /the store does not answer/);
    }
    for (const path of ['/v1/status', '/v1/doctor', '/healthz', '/v1/openapi.json']) {
      assert.equal((await api.request(path)).status, 200, path);
    }
    api.control.phase = 'running';
    assert.equal((await api.request('/v1/networks')).status, 200);
    assert.equal((await api.request('/readyz')).status, 200);
    api.control.phase = 'opening';
    assert.equal((await api.request('/v1/networks')).status, 200);
    assert.equal((await api.request('/readyz')).status, 503);
  });

  for (const code of Object.keys(errorTraits) as ErrorCode[]) {
    it(`answer ${code} with ${errorTraits[code].status} and a problem document`, async () => {
      api.control.before = () =>
        Promise.reject(new WeftError(code, `Because ${code}`, { details: { n: 1 } }));
      const reply = await api.post('/v1/networks', { name: 'red' });
      assert.equal(reply.status, errorTraits[code].status);
      assert.equal(reply.headers['content-type'], 'application/problem+json');
      assert.deepEqual(JSON.parse(reply.text), {
        type: `urn:weft:error:${code}`,
        title: errorTraits[code].summary,
        status: errorTraits[code].status,
        detail: `Because ${code}`,
        code,
        retryable: errorTraits[code].retryable,
        details: { n: 1 },
      });
    });
  }

  it('say nothing of a defect but that it was one, and log the rest', async () => {
    api.control.before = () => Promise.reject(new TypeError('secret internals'));
    const reply = await api.post('/v1/networks', { name: 'red' });
    assert.equal(reply.status, 500);
    assert.equal(JSON.parse(reply.text).code, 'internal');
    assert.doesNotMatch(reply.text, /secret internals|\.js/);
    const logged = api.logger.lines.find(({ level }) => level === 'error');
    assert.match(String((logged?.values['error'] as Error).message), /secret internals/);
  });

  it('cancel what a client no longer waits for', async () => {
    const cancelled = new Promise<void>((resolve) => {
      api.control.before = (_method, { signal }) => {
        return new Promise(() => signal.addEventListener('abort', () => resolve(), { once: true }));
      };
    });
    const scope = new AbortController();
    const call = api.client.call('createNetwork', { body: { name: 'red' }, signal: scope.signal });
    while (api.control.askedBy.length === 0) await new Promise(setImmediate);
    scope.abort();
    await assert.rejects(call, (error) => isWeftError(error, 'outcome-unknown'));
    await cancelled;
  });

  it('cancel what is under way when the server stops, and still answer it', async () => {
    api.control.before = (_method, { signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new WeftError('outcome-unknown', 'Stopped')), {
          once: true,
        });
      });
    };
    const call = api.client.call('createNetwork', { body: { name: 'red' } });
    call.catch(() => undefined);
    while (api.control.askedBy.length === 0) await new Promise(setImmediate);
    await api.server.stop();
    await assert.rejects(
      call,
      (error) => isWeftError(error, 'outcome-unknown') && error.message === 'Stopped',
    );
  });

  it('know who asks by the connection', async () => {
    await create('red');
    assert.deepEqual(api.control.askedBy, ['uid:1000']);
  });

  it('serve an OpenAPI document of every route', async () => {
    const document = JSON.parse((await api.request('/v1/openapi.json')).text);
    assert.equal(document.openapi, '3.1.0');
    for (const name of routeNames) {
      const { method, path }: Route = routes[name];
      assert.equal(document.paths[path][method.toLowerCase()].operationId, name);
      assert.equal(document.paths[path][method.toLowerCase()].summary, contract[name].summary);
    }
    const body = document.paths['/v1/networks'].post.requestBody.content['application/json'].schema;
    assert.deepEqual(body.required, ['name']);
    assert.equal(body.additionalProperties, false);
    assert.equal(document.paths['/v1/networks/{ref}'].get.parameters[0].name, 'ref');
    assert.match(document.components.schemas.Problem.description, /`store-unreachable` \(503\)/);
  });
});

describe('a caller that the kernel does not know', () => {
  it('is refused', async () => {
    const api = await ApiFixture.start(() => {
      throw new Error('EINVAL');
    });
    try {
      const reply = await api.request('/v1/status');
      assert.equal(reply.status, 403);
      assert.equal(JSON.parse(reply.text).code, 'permission-denied');
    } finally {
      await api.stop();
    }
  });
});
