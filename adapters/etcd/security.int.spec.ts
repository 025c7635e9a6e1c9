/** Users, passwords and TLS of a real etcd. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Range } from 'etcd3';
import { after, afterEach, before, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { type EtcdServer, etcdUnavailable, startEtcd } from '../../lab/etcd.ts';
import { describeServerTls } from '../../test/contract/server-tls.contract.ts';
import { EtcdLogs } from '../../test/support/etcd-logs.ts';
import { draft, never } from '../../test/support/log-drafts.ts';
import { codeOf, eventually, RunningTail } from '../../test/support/log-trials.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { EtcdChannel } from './channel.ts';

const secret = 'correct horse battery staple';

describe('etcd: users', function users() {
  this.timeout(60_000);
  const logs = new EtcdLogs();
  let folder: string;
  let server: EtcdServer;
  let url: string;

  before(async function start() {
    const unavailable = etcdUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    folder = await mkdtemp(join(tmpdir(), 'weft-etcd-auth-'));
    await writeFile(join(folder, 'password'), `${secret}\n`);
    await writeFile(join(folder, 'wrong'), 'guess\n');
    server = await startEtcd();
    url = `${server.url}/weft`;
    await enableAuth(server);
  });
  afterEach(() => logs.closeAll());
  after(async () => {
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const auth = (file = 'password') => ({ auth: { user: 'weft', passwordFile: join(folder, file) } });

  it('works with the right password, also after the server has forgotten all tokens', async () => {
    const log = await logs.open(url, auth());
    const tail = new RunningTail(log);
    const [before, behind] = [draft('before'), draft('behind')];
    await log.append(before, never());
    await tail.until(1);
    await server.restart();
    await eventually(() => log.append(behind, never()));
    await tail.until(2);
    assert.deepEqual(tail.ids, [before.id, behind.id]);
    await tail.stop();
  });

  it('is refused with a wrong password, without one, and outside its role', async () => {
    assert.equal(await codeOf(logs.open(url, auth('wrong'))), 'store-auth');
    assert.equal(await codeOf(logs.open(url)), 'store-auth');
    assert.equal(await codeOf(logs.open(`${server.url}/elsewhere`, auth())), 'store-auth');
    assert.equal(await codeOf(logs.open(url, auth('missing'))), 'store-unreachable');
  });

  it('ends a tail and refuses appends once the role is taken away', async () => {
    const log = await logs.open(url, auth());
    const position = await log.head(never());
    const tail = new RunningTail(log, position);
    await log.append(draft(), never());
    await tail.until(1);
    await asRoot(server, (client) => client.auth.userRevokeRole({ name: 'weft', role: 'weft' }));
    assert.equal(await codeOf(log.append(draft(), never())), 'store-auth');
    const again = new RunningTail(log, position);
    assert.ok(isWeftError(await again.ended, 'store-auth'));
    assert.equal(log.health.reachable, false);
    await asRoot(server, (client) => client.auth.userGrantRole({ user: 'weft', role: 'weft' }));
    await log.append(draft(), never());
    await tail.stop();
  });

  it('keeps the password out of messages and log lines', async () => {
    const failure = await logs.open(url, auth('wrong')).catch((error: unknown) => error);
    const lines = JSON.stringify(logs.logger.lines);
    for (const text of [String(failure), String((failure as Error).cause), lines]) {
      assert.doesNotMatch(text, /guess|horse/);
    }
  });
});

describeServerTls({
  name: 'etcd',
  unavailable: etcdUnavailable,
  start: (tls) => startEtcd({ tls }),
  newLogs: () => new EtcdLogs(),
});

async function enableAuth(server: EtcdServer): Promise<void> {
  const client = new EtcdChannel({ hosts: server.endpoints });
  try {
    await client.user('root').create('root');
    await client.role('root').create();
    await client.user('root').addRole('root');
    const role = client.role('weft');
    await role.create();
    await role.grant({ permission: 'Readwrite', range: Range.prefix('/weft/') });
    await client.user('weft').create(secret);
    await client.user('weft').addRole('weft');
    await client.auth.authEnable();
  } finally {
    client.close();
  }
}

async function asRoot<T>(server: EtcdServer, act: (client: EtcdChannel) => Promise<T>): Promise<T> {
  const client = new EtcdChannel({ hosts: server.endpoints, auth: { username: 'root', password: 'root' } });
  try {
    return await act(client);
  } finally {
    client.close();
  }
}
