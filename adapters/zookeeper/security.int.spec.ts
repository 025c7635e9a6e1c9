/** Digest users, ACLs and TLS of a real ZooKeeper. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { Relay } from '../../lab/relay.ts';
import { startZookeeper, type ZookeeperServer, zookeeperUnavailable } from '../../lab/zookeeper.ts';
import { describeServerTls } from '../../test/contract/server-tls.contract.ts';
import { draft, never } from '../../test/support/log-drafts.ts';
import { codeOf, eventually, RunningTail } from '../../test/support/log-trials.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { ZookeeperLogs, ZookeeperTree } from '../../test/support/zookeeper-logs.ts';

const secret = 'correct horse battery staple';

describe('zookeeper: users', function security() {
  this.timeout(60_000);
  const logs = new ZookeeperLogs();
  let folder: string;
  let server: ZookeeperServer;
  let relay: Relay;

  before(async function start() {
    const unavailable = zookeeperUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    folder = await mkdtemp(join(tmpdir(), 'weft-zookeeper-auth-'));
    await writeFile(at('password'), `${secret}\n`);
    await writeFile(at('wrong'), 'guess\n');
    server = await startZookeeper();
    relay = await Relay.start({ host: server.host, port: server.clientPort });
  });
  afterEach(() => logs.closeAll());
  after(async () => {
    await relay?.close();
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const at = (name: string) => join(folder, name);
  const auth = (file = 'password') => ({ auth: { user: 'weft', passwordFile: at(file) } });

  it('makes nodes that are for its user alone, and works again after a lost connection', async () => {
    const url = `zookeeper://${relay.host}:${relay.port}/alone`;
    const log = await logs.open(url, auth());
    const tail = new RunningTail(log);
    const [first, second] = [draft('first'), draft('second')];
    await log.append(first, never());
    await tail.until(1);
    relay.cut();
    await eventually(() => log.append(second, never()));
    await tail.until(2);
    assert.deepEqual(tail.ids, [first.id, second.id]);
    await tail.stop();
    const stranger = await ZookeeperTree.open(server);
    await assert.rejects(stranger.read('/alone/log-id'), /noAuth/);
    await assert.rejects(stranger.do({ type: 'create', path: '/alone/foreign' }), /noAuth/);
    await stranger.close();
  });

  it('is refused with a wrong password, without one, and with one that cannot be read', async () => {
    const url = `${server.url}/refused`;
    await logs.open(url, auth());
    assert.equal(await codeOf(logs.open(url, auth('wrong'))), 'store-auth');
    assert.equal(await codeOf(logs.open(url)), 'store-auth');
    assert.equal(await codeOf(logs.open(url, auth('missing'))), 'store-unreachable');
    assert.equal(
      await codeOf(logs.open(url, { auth: { user: 'we:ft', passwordFile: at('password') } })),
      'store-unreachable',
    );
  });

  it('ends a tail and refuses appends once the password is wrong, at the first refusal', async () => {
    const url = `zookeeper://${relay.host}:${relay.port}/changed`;
    await writeFile(at('changing'), `${secret}\n`);
    const log = await logs.open(url, auth('changing'));
    const position = await log.append(draft(), never());
    const tail = new RunningTail(log);
    await tail.until(1);
    const lines = logs.logger.lines.length;
    await writeFile(at('changing'), 'guess\n');
    relay.cut();
    const ended = await tail.ended;
    assert.ok(isWeftError(ended, 'store-auth'), String(ended));
    assert.equal(log.health.reachable, false);
    assert.equal(await codeOf(log.append(draft(), never())), 'store-auth');
    assert.equal(await codeOf(log.head(never())), 'store-auth');
    assert.ok(isWeftError(await new RunningTail(log, position).ended, 'store-auth'));
    // The tail tried once after the connection was lost, and nobody tries on.
    assert.ok(logs.logger.lines.length - lines <= 2, JSON.stringify(logs.logger.lines.slice(lines)));
    await writeFile(at('changing'), `${secret}\n`);
    relay.cut();
    await eventually(() => log.append(draft(), never()));
    assert.deepEqual(log.health, { reachable: true });
  });

  it('reads the password again once it was refused, without losing the connection first', async () => {
    const url = `${server.url}/corrected`;
    await logs.open(url, auth());
    await writeFile(at('corrected'), 'guess\n');
    const log = logs.connect(url, auth('corrected'));
    assert.equal(await codeOf(log.open(never())), 'store-auth');
    await writeFile(at('corrected'), `${secret}\n`);
    await eventually(() => log.open(never()));
    await log.append(draft(), never());
  });

  it('keeps the password out of messages and log lines', async () => {
    const url = `${server.url}/secret`;
    const log = await logs.open(url, auth());
    const failure = await logs.open(url, auth('wrong')).catch((error: unknown) => error);
    const digest = createHash('sha1').update(`weft:${secret}`).digest('base64');
    const texts = [
      String(failure),
      String((failure as Error).cause),
      JSON.stringify(logs.logger.lines),
      log.url,
    ];
    for (const text of texts) {
      assert.doesNotMatch(text, /guess|horse/);
      assert.ok(!text.includes(digest));
    }
  });
});

describeServerTls({
  name: 'zookeeper',
  unavailable: zookeeperUnavailable,
  start: (tls) => startZookeeper({ tls }),
  newLogs: () => new ZookeeperLogs(),
});
