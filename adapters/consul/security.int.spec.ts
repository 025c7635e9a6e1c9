/** ACL tokens and TLS of a real Consul. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import type { SnapshotId } from '../../core/model/ids.ts';
import { type ConsulServer, consulUnavailable, startConsul } from '../../lab/consul.ts';
import { describeServerTls } from '../../test/contract/server-tls.contract.ts';
import { ConsulLogs } from '../../test/support/consul-logs.ts';
import { draft, never } from '../../test/support/log-drafts.ts';
import { codeOf, eventually, RunningTail } from '../../test/support/log-trials.ts';
import { skipBecause } from '../../test/support/requirements.ts';

const managementToken = '5d7a1c52-6a0c-4a3e-9d0a-000000000001';
const wrongToken = '5d7a1c52-6a0c-4a3e-9d0a-00000000dead';
const rules = 'key_prefix "weft/" { policy = "write" }';

describe('consul: ACL tokens', function tokens() {
  this.timeout(60_000);
  const logs = new ConsulLogs();
  let folder: string;
  let server: ConsulServer;
  let url: string;
  let policy: string;

  before(async function start() {
    const unavailable = consulUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    folder = await mkdtemp(join(tmpdir(), 'weft-consul-acl-'));
    server = await startConsul({ managementToken });
    url = `${server.url}/weft`;
    const made = await eventuallyMade(() => put('/v1/acl/policy', { Name: 'weft', Rules: rules }));
    policy = String(made['ID']);
    await writeFile(join(folder, 'wrong'), `${wrongToken}\n`);
  });
  afterEach(() => logs.closeAll());
  after(async () => {
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const put = async (path: string, body: object) =>
    (await (await server.request('PUT', path, JSON.stringify(body))).json()) as Record<string, unknown>;
  const file = (name: string) => ({ tokenFile: join(folder, name) });

  /** Makes a token with the policy of the log and puts it into that file. */
  async function makeToken(name: string): Promise<Record<string, unknown>> {
    const token = await put('/v1/acl/token', { Policies: [{ ID: policy }] });
    await writeFile(join(folder, name), `${String(token['SecretID'])}\n`);
    return token;
  }
  const revoke = (token: Record<string, unknown>) =>
    server.request('DELETE', `/v1/acl/token/${String(token['AccessorID'])}`);

  it('works with the right token, and with a new one once the old one is revoked', async () => {
    const first = await makeToken('token');
    const log = await logs.open(url, file('token'));
    const tail = new RunningTail(log);
    const [before, behind] = [draft('before'), draft('behind')];
    await log.append(before, never());
    await tail.until(1);
    await makeToken('token');
    await revoke(first);
    await eventually(() => log.append(behind, never()));
    await tail.until(2);
    assert.deepEqual(tail.ids, [before.id, behind.id]);
    await tail.stop();
  });

  it('trims, keeps snapshots and drops them under its policy, and is refused all of it without', async () => {
    await makeToken('token');
    const log = await logs.open(url, file('token'));
    const [first, id] = [draft('first'), '1'.repeat(32) as SnapshotId];
    const position = await log.append(first, never());
    await log.trim(position, never());
    assert.equal(await log.resolve(first, never()), undefined);
    await log.snapshots.putManifest(id, Buffer.from('m'), never());
    assert.equal((await log.snapshots.list(never())).length, 1);
    await put(`/v1/acl/policy/${policy}`, { Name: 'weft', Rules: '' });
    for (const refused of [
      () => log.trim(position, never()),
      () => log.snapshots.list(never()),
      () => log.snapshots.getChunk(id, 0, never()),
      () => log.snapshots.putChunk(id, 0, Buffer.from('c'), never()),
      () => log.snapshots.drop(id, never()),
    ])
      assert.equal(await codeOf(refused()), 'store-auth');
    await put(`/v1/acl/policy/${policy}`, { Name: 'weft', Rules: rules });
    await log.snapshots.drop(id, never());
    assert.deepEqual(await log.snapshots.list(never()), []);
  });

  it('is refused with a wrong token, without one, and outside its policy', async () => {
    await makeToken('token');
    assert.equal(await codeOf(logs.open(url, file('wrong'))), 'store-auth');
    assert.equal(await codeOf(logs.open(url)), 'store-auth');
    assert.equal(await codeOf(logs.open(`${server.url}/elsewhere`, file('token'))), 'store-auth');
    assert.equal(await codeOf(logs.open(url, file('missing'))), 'store-unreachable');
  });

  it('ends a tail and refuses all else once the policy is taken away, and takes it for no wiped store', async () => {
    await makeToken('token');
    const log = await logs.open(url, file('token'));
    const position = await log.append(draft(), never());
    const tail = new RunningTail(log, position);
    await log.append(draft(), never());
    await tail.until(1);
    await put(`/v1/acl/policy/${policy}`, { Name: 'weft', Rules: '' });
    assert.equal(await codeOf(log.append(draft(), never())), 'store-auth');
    assert.equal(await codeOf(log.head(never())), 'store-auth');
    assert.ok(isWeftError(await tail.ended, 'store-auth'), String(await tail.ended));
    assert.equal(log.health.reachable, false);
    await put(`/v1/acl/policy/${policy}`, { Name: 'weft', Rules: rules });
    await log.append(draft(), never());
  });

  it('keeps the token out of messages and log lines', async () => {
    const failure = await logs.open(url, file('wrong')).catch((error: unknown) => error);
    const causes = [failure, (failure as Error).cause, ((failure as Error).cause as Error).cause];
    const lines = JSON.stringify(logs.logger.lines);
    for (const text of [...causes.map(String), JSON.stringify(failure), lines]) {
      assert.doesNotMatch(text, /dead/);
    }
  });

  it('does not ask again and again where it is refused', async () => {
    let requests = 0;
    const refusing = createServer((_request, response) => {
      requests += 1;
      response.writeHead(403).end('ACL not found');
    }).listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    try {
      const { port } = refusing.address() as AddressInfo;
      const log = logs.connect(`consul://127.0.0.1:${port}/weft`, file('wrong'));
      assert.equal(await codeOf(log.open(never())), 'store-auth');
      assert.equal(requests, 1);
    } finally {
      await logs.closeAll();
      refusing.close();
    }
  });
});

/** The first changes of access control are refused until the leader has set it up. */
async function eventuallyMade<T>(make: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await make();
    } catch (error) {
      if (!/bootstrap|legacy|not found|initialized|leader/i.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

describeServerTls({
  name: 'consul',
  unavailable: consulUnavailable,
  start: (tls) => startConsul({ tls }),
  newLogs: () => new ConsulLogs(),
});
