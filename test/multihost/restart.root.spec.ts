/** A daemon that dies and comes back: no packet lost, nothing written, and no attachment left half done. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { run } from '../../lab/command.ts';
import { type Cluster, eventually, pings, startCluster } from './cluster.ts';

describe('A daemon that is killed and started again', function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let near: string;
  let farAddress: string;

  before(async function () {
    cluster = await startCluster(this, { hosts: ['h1', 'h2'] });
    await cluster
      .member(0)
      .api.call('createNetwork', { body: { name: 'red', subnets: [{ prefix: '10.0.1.0/24' }] } });
    await cluster.converged();
    near = (await cluster.attach(0, 'red', 'near')).sandbox;
    const far = await cluster.attach(1, 'red', 'far');
    farAddress = far.endpoint.addresses[0]?.split('/')[0] ?? '';
    await cluster.converged();
    await eventually('the two reach each other', () => pings(near, farAddress));
  });

  after(() => cluster?.dispose());

  it('loses no ping at ten a second between two endpoints, and writes nothing to the kernel', async () => {
    const { daemon, api } = cluster.member(0);
    const pinging = run('ip', [
      'netns',
      'exec',
      near,
      'ping',
      '-i',
      '0.1',
      '-c',
      '60',
      '-W',
      '2',
      farAddress,
    ]);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await daemon.kill();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await daemon.start();
    const { stdout } = await pinging;
    assert.match(stdout, /60 packets transmitted, 60 received, 0% packet loss/);
    const status = await api.call('status');
    assert.equal(status.dataplane.writes, 0);
    assert.equal(status.dataplane.repairs, 0);
    assert.equal(status.dataplane.pending, 0);
    assert.equal(status.epoch, 2);
  });

  it('has its archive in one piece', async () => {
    const { api } = cluster.member(0);
    const { ordinal, items } = await api.call('log', { query: { from: 'oldest', limit: '1000' } });
    assert.deepEqual(
      items.map((item) => item.ordinal),
      Array.from({ length: ordinal }, (_, index) => index + 1),
    );
    await eventually('all is archived', async () => {
      const { archive } = await api.call('doctor');
      assert.deepEqual([archive.fault, archive.lost, archive.damage], [undefined, 0, []]);
      return archive.spans.length === 1 && archive.spans[0]?.first === 1 && archive.spans[0].last >= ordinal;
    });
  });

  it('repairs what was altered while it was away', async () => {
    const { daemon } = cluster.member(0);
    await daemon.kill();
    await run('ip', ['-n', near, 'addr', 'flush', 'dev', 'eth0', 'scope', 'global']);
    await daemon.start();
    await eventually('the peer answers again', () => pings(near, farAddress));
    const report = await cluster.member(0).api.call('doctor');
    assert.ok(report.repairs.length > 0, 'the repair is told');
  });

  it('is either attached or cleaned up when it was killed in the middle of an attach', async () => {
    const { host, daemon, api } = cluster.member(0);
    for (let round = 0; round < 6; round++) {
      const sandbox = await host.addSandbox(`mid${round}`);
      const attaching = api.call('connect', {
        params: { ref: 'red' },
        body: { sandbox, name: `mid${round}` },
      });
      const answered = attaching.then(
        () => true,
        () => false,
      );
      await new Promise((resolve) => setTimeout(resolve, round));
      await daemon.kill();
      const told = await answered;
      await daemon.start();
      await cluster.converged();
      const endpoint = (await cluster.endpoints()).find(({ name }) => name === `mid${round}`);
      if (told) assert.ok(endpoint !== undefined, 'what was answered with success is there');
      const interfaces = (await run('ip', ['-n', sandbox, '-br', 'link', 'show'])).stdout;
      if (endpoint === undefined) assert.doesNotMatch(interfaces, /eth0/);
      else assert.ok(await pings(sandbox, farAddress), `${sandbox} is attached but does not reach its peer`);
    }
  });

  it('releases the endpoints of sandboxes that were deleted while it was away', async () => {
    const { host, daemon } = cluster.member(0);
    const { sandbox, endpoint } = await cluster.attach(0, 'red', 'shortlived');
    await daemon.kill();
    await host.removeSandbox(sandbox);
    await daemon.start();
    await eventually('its endpoint is released', async () => {
      return !(await cluster.endpoints()).some(({ id }) => id === endpoint.id);
    });
  });
});
