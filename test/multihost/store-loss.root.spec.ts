/** A store that is not there, goes, or comes back: reads answer, changes say the truth, and nobody's packets notice. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { Client } from '../../api/client.ts';
import type { StatusView } from '../../api/schemas/status.ts';
import { type EtcdServer, startEtcd } from '../../lab/etcd.ts';
import type { LabHost } from '../../lab/host.ts';
import { createLab, type Lab, labHindrance } from '../../lab/hosts.ts';
import { requireCommand, skipBecause } from '../support/requirements.ts';
import { eventually, pings } from './cluster.ts';

/** Changes are answered within five seconds, whatever the store does; the rest is for a slow machine. */
const answerWithinMs = 5_000;
const slackMs = 1_500;

describe('A store that is lost', function () {
  this.timeout(90_000);
  let lab: Lab | undefined;
  let etcd: EtcdServer | undefined;

  afterEach(async () => {
    lab?.dispose();
    await etcd?.stop();
    lab = undefined;
    etcd = undefined;
  });

  /** Two hosts, with the store in the namespace of the first. */
  async function prepare(context: Mocha.Context): Promise<{ h1: LabHost; h2: LabHost; etcd: EtcdServer }> {
    requireCommand(context, 'etcd');
    const hindrance = await labHindrance();
    if (hindrance !== undefined) skipBecause(context, hindrance);
    lab = await createLab({ hosts: ['h1', 'h2'] });
    const [h1, h2] = [lab.host('h1'), lab.host('h2')];
    etcd = await startEtcd({ netns: h1.place.netns, listenAddress: h1.place.ipv4 });
    return { h1, h2, etcd };
  }

  it('is waited for at the start, and told of meanwhile', async function () {
    const { h1, etcd: server } = await prepare(this);
    await server.kill('SIGKILL');
    const starting = h1.startDaemon({ store: server.url });
    const api = new Client({ socket: h1.socket });
    await eventually('the status says that the store cannot be reached', async () => {
      const status = await statusOrNone(api);
      return (
        status !== undefined &&
        status.phase === 'opening' &&
        !status.store.reachable &&
        status.store.reason !== undefined
      );
    });
    const shown = await h1.weft(['status']);
    assert.match(shown.stdout, /unreachable/);
    await server.restart();
    await starting;
    assert.equal((await api.call('status')).phase, 'running');
  });

  it('leaves reads and packets alone, and fails changes in time with the truth', async function () {
    const { h1, h2, etcd: server } = await prepare(this);
    const d1 = await h1.startDaemon({ store: server.url });
    await h2.startDaemon({ store: server.url });
    const [a1, a2] = [new Client({ socket: h1.socket }), new Client({ socket: h2.socket })];
    await a1.call('createNetwork', { body: { name: 'red', subnets: [{ prefix: '10.0.1.0/24' }] } });
    const near = await h1.addSandbox('near');
    const far = await h2.addSandbox('far');
    await a1.call('connect', { params: { ref: 'red' }, body: { sandbox: near, name: 'near' } });
    await a2.call('connect', { params: { ref: 'red' }, body: { sandbox: far, name: 'far' } });
    await eventually('the two reach each other by name', () => pings(near, 'far'));

    await server.kill('SIGKILL');
    const began = performance.now();
    const refused = await h1.weft(['network', 'create', 'blue'], { allowFailure: true });
    const tookMs = performance.now() - began;
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^weft: .+ \((store-unreachable|outcome-unknown)\)\n$/);
    assert.ok(tookMs < answerWithinMs + slackMs, `it took ${Math.round(tookMs)} ms`);
    assert.match((await h1.weft(['network', 'ls'])).stdout, /red/);
    assert.match((await h1.weft(['endpoint', 'ls'])).stdout, /far/);
    assert.match((await h1.weft(['status'])).stdout, /unreachable/);
    assert.ok(await pings(near, 'far'), 'the data plane does not need the store');

    // A daemon that starts without its store keeps the data plane that it finds.
    await d1.kill();
    d1.launch();
    await eventually('the new daemon answers', async () => (await statusOrNone(a1))?.phase === 'opening');
    assert.ok(await pings(near, 'far'), 'the data plane outlives daemon and store');

    await server.restart();
    await eventually(
      'the daemons are at work again',
      async () => {
        const states = await Promise.all([statusOrNone(a1), statusOrNone(a2)]);
        return states.every((status) => status?.phase === 'running' && status.store.reachable);
      },
      30_000,
    );
    if (refused.stderr.includes('store-unreachable')) {
      const { items } = await a1.call('listNetworks');
      assert.ok(!items.some(({ name }) => name === 'blue'), 'what was told not to happen did not happen');
    }
    await a1.call('createNetwork', { body: { name: 'green' } });
    assert.ok(await pings(near, 'far'));
    assert.equal((await a1.call('status')).dataplane.repairs, 0, 'nothing had to be repaired');
  });
});

async function statusOrNone(api: Client): Promise<StatusView | undefined> {
  return api.call('status').catch(() => undefined);
}
