/** A bundle of a live host: no secret in it, a replay that comes to the same, and one that shows what is amiss. */
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { after, before, describe, it } from 'mocha';
import { openLog } from '../../adapters/open-log.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import type { BundleLine } from '../../core/bundle/lines.ts';
import type { EntryId } from '../../core/model/ids.ts';
import { run, weftCommand } from '../../lab/command.ts';
import { bytesOf } from '../support/bundles.ts';
import { QuietLogger } from '../support/quiet-logger.ts';
import { type Cluster, eventually, fdbOf, startCluster } from './cluster.ts';

/** In the daemons' environment. What their configuration may name is in `daemon/self-account.spec.ts`. */
const secret = 'hunter2-of-the-bundle-spec';

describe('A bundle of a live host', function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let net: string;
  let peer: string;

  before(async function () {
    const beforehand = process.env['WEFT_SPEC_SECRET'];
    process.env['WEFT_SPEC_SECRET'] = secret;
    try {
      cluster = await startCluster(this, { hosts: ['h1', 'h2'] });
    } finally {
      if (beforehand === undefined) delete process.env['WEFT_SPEC_SECRET'];
    }
    const { api, host } = cluster.member(0);
    const body = { name: 'red', ipv6: true, subnets: [{ prefix: '10.0.1.0/24' }, { prefix: 'fd00:1::/64' }] };
    const network = await api.call('createNetwork', { body });
    net = `${host.netnsPrefix}${network.id.slice(0, 10)}`;
    await cluster.converged();
    await cluster.attach(0, 'red', 'near');
    const far = await cluster.attach(1, 'red', 'far');
    peer = far.endpoint.mac ?? '';
    await api.call('createNetwork', { body }).catch(() => undefined);
    await cluster.converged();
  });

  after(() => cluster?.dispose());

  async function take(name: string): Promise<{ path: string; lines: BundleLine[]; plain: string }> {
    const { host } = cluster.member(0);
    const path = join(host.folder, name);
    await host.weft(['bundle', '-o', path]);
    const plain = gunzipSync(await readFile(path)).toString('utf8');
    const lines = plain
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as BundleLine);
    return { path, lines: lines.slice(0, -1), plain };
  }

  const replay = (path: string) => run(weftCommand, ['replay', path], { allowFailure: true });

  it('has no secret of the machine, and is for its owner alone', async () => {
    const { pid } = cluster.member(0).daemon;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
    assert.ok(environment.includes(secret), 'the daemon has the secret');
    const { path, plain } = await take('secrets.gz');
    assert.ok(!plain.includes(secret));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it('is replayed elsewhere to the same hash and the same kernel objects', async () => {
    const { path, lines } = await take('whole.gz');
    const { code, stdout, stderr } = await replay(path);
    assert.equal(code, 0, `${stdout}${stderr}`);
    const { stateHash, dataplane } = await cluster.member(0).api.call('status');
    assert.ok(stdout.includes(`state hash ${stateHash}`));
    assert.ok(stdout.includes(`The kernel had what the log asks for: ${dataplane.desired} objects.`));
    assert.match(stdout, /network-create red overlay .* -> name-taken: /);
    assert.match(stdout, new RegExp(`bridge -n ${net} fdb replace ${peer} dev vxlan0 self permanent dst `));
    assert.ok(lines.some((line) => line.type === 'log-line'));
  });

  it('shows exactly the FDB entry that somebody deleted where nothing put it back', async () => {
    const { lines } = await take('before.gz');
    const path = join(cluster.member(0).host.folder, 'after.gz');
    const lacking = lines.filter(
      (line) => line.type !== 'object' || line.object.kind !== 'fdb' || line.object.mac !== peer,
    );
    assert.equal(lacking.length, lines.length - 1);
    await writeFile(path, gzipSync(await bytesOf(lacking)));
    const { code, stdout } = await replay(path);
    assert.equal(code, 1);
    const differences = stdout.split('\n').filter((line) => /^ {2}(missing|altered|stray): /.test(line));
    assert.equal(differences.length, 1, stdout);
    assert.match(
      differences[0] ?? '',
      new RegExp(`missing: bridge -n ${net} fdb replace ${peer} dev vxlan0`),
    );
  });

  it('tells of drift that was repaired', async () => {
    const vtep = cluster.member(1).host.place.address;
    const before = (await cluster.member(0).api.call('status')).dataplane.repairs;
    await run('bridge', ['-n', net, 'fdb', 'del', peer, 'dev', 'vxlan0', 'dst', vtep, 'self']);
    await eventually('the entry is back', async () => {
      const { repairs } = (await cluster.member(0).api.call('status')).dataplane;
      return repairs > before && (await fdbOf(net)).some((line) => line.startsWith(peer));
    });
    const { path, lines } = await take('repaired.gz');
    assert.ok(lines.some((line) => line.type === 'repair' && line.text.includes(peer)));
    const { code, stdout } = await replay(path);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /the daemon had repaired drift lately/);
  });

  it('of a log that was trimmed begins with a snapshot, and is replayed to the same', async () => {
    const [first, second] = [cluster.member(0), cluster.member(1)];
    const made = await first.host.weft(['store', 'snapshot']);
    const begins = Number(/^Snapshot of ordinal (\d+): \d+ chunks?, /.exec(made.stdout)?.[1]);
    await cluster.attach(0, 'red', 'late');
    await cluster.converged();
    await second.host.weft(['store', 'snapshot']);
    const { stdout: account } = await first.host.weft(['store', 'status', '--check']);
    assert.match(account, /^Snapshots: 2 in the store$/m);
    assert.match(
      account,
      new RegExp(`^Oldest: {4}of ordinal ${begins}, 1 record in 1 entry behind it$`, 'm'),
    );
    const { path, lines } = await take('trimmed.gz');
    assert.ok(lines.some((line) => line.type === 'snapshot' && line.manifest.ordinal === begins));
    const { code, stdout } = await replay(path);
    assert.equal(code, 0, stdout);
    assert.match(stdout, new RegExp(`^Records up to ${begins} are not in the bundle: `, 'm'));
    const { stateHash, dataplane } = await first.api.call('status');
    assert.ok(stdout.includes(`state hash ${stateHash}`));
    assert.ok(stdout.includes(`The kernel had what the log asks for: ${dataplane.desired} objects.`));
  });

  it('of a daemon that has stopped before a newer record shows what it could not repair', async () => {
    const { api } = cluster.member(0);
    const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
    const log = await openLog(cluster.store, ports);
    const { signal } = new AbortController();
    await log.open(signal);
    const id = ports.random.hex(16) as EntryId;
    await log.append({ id, base: 0, bytes: Buffer.from('{"v":99}') }, signal);
    await log.close();
    await eventually('the daemon has halted', async () => (await api.call('status')).phase === 'halted');
    const vtep = cluster.member(1).host.place.address;
    await run('bridge', ['-n', net, 'fdb', 'del', peer, 'dev', 'vxlan0', 'dst', vtep, 'self']);
    const { path } = await take('halted.gz');
    const { code, stdout } = await replay(path);
    assert.equal(code, 1);
    assert.match(stdout, /^Note: the daemon was not at work: halted \(Record \d+ has schema version 99/m);
    assert.match(stdout, /^The log folds to what the daemon had/m);
    assert.deepEqual(
      stdout.split('\n').filter((line) => /^ {2}(missing|altered|stray): /.test(line)),
      [`  missing: bridge -n ${net} fdb replace ${peer} dev vxlan0 self permanent dst ${vtep}`],
    );
  });
});
