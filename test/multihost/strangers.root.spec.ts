/** Frames of an overlay that a machine sends which is no host of the cluster: who is taken for one, and who is not. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { run } from '../../lab/command.ts';
import { type Cluster, eventually, pings, startCluster } from './cluster.ts';

const strangersAddress = '10.0.0.99';

/** The third machine has been a host, and sends frames by a VXLAN interface that was made by hand. */
class Scene {
  readonly cluster: Cluster;
  /** On the first host, and the second. */
  readonly #near: string;
  readonly #far: string;
  readonly #target: string;

  constructor(cluster: Cluster, near: string, far: string, target: string) {
    this.cluster = cluster;
    this.#near = near;
    this.#far = far;
    this.#target = target;
  }

  static async make(cluster: Cluster): Promise<Scene> {
    const { api } = cluster.member(0);
    await api.call('createNetwork', {
      body: { name: 'red', driver: 'overlay', subnets: [{ prefix: '10.0.0.0/24' }] },
    });
    const near = await cluster.attach(0, 'red', 'near');
    const far = await cluster.attach(1, 'red', 'far');
    await cluster.converged();
    const { vni = 0 } = await api.call('inspectNetwork', { params: { ref: 'red' } });
    const { mac = '', addresses } = near.endpoint;
    const target = (addresses[0] ?? '').split('/')[0] ?? '';
    const [first, , third] = cluster.members.map(({ host }) => host);
    const [to, from] = [first?.place.ipv4 ?? '', third?.place.ipv4 ?? ''];
    const tunnel = ['type', 'vxlan', 'id', String(vni), 'local', from, 'remote', to, 'dstport', '4789'];
    for (const words of [
      ['link', 'add', 'rogue', ...tunnel],
      ['address', 'add', `${strangersAddress}/24`, 'dev', 'rogue'],
      ['link', 'set', 'rogue', 'up'],
      ['neighbour', 'replace', target, 'lladdr', mac, 'dev', 'rogue', 'nud', 'permanent'],
    ])
      await third?.exec('ip', words);
    // What comes to the first machine's port, before weft's rules; and what comes to the endpoint.
    await first?.exec('nft', ['add table inet seen']);
    await first?.exec('nft', ['add chain inet seen input { type filter hook input priority -310; }']);
    await first?.exec('nft', [`add rule inet seen input ip saddr ${from} udp dport 4789 counter`]);
    const inside = ['netns', 'exec', near.sandbox, 'nft'];
    await run('ip', [...inside, 'add table inet seen']);
    await run('ip', [...inside, 'add chain inet seen input { type filter hook input priority 0; }']);
    await run('ip', [...inside, `add rule inet seen input ip saddr ${strangersAddress} counter`]);
    return new Scene(cluster, near.sandbox, far.sandbox, target);
  }

  async removeThird(): Promise<void> {
    const third = this.cluster.member(2);
    await third.daemon.stop();
    await this.cluster.member(0).api.call('removeHost', { params: { name: third.host.name } });
    await eventually('the others know it', async () => (await this.set('vteps4')).length < 2);
  }

  /** Sends frames from the third machine: whether the endpoint got any, once the machine has. */
  async isReached(): Promise<boolean> {
    const [before, reached] = [await this.#seen('machine'), await this.#seen('endpoint')];
    const { host } = this.cluster.member(2);
    await host.exec('ping', ['-c2', '-i0.2', '-W1', this.#target], { allowFailure: true });
    await eventually('the frames have come', async () => (await this.#seen('machine')) >= before + 2);
    // Behind them on the same way, so that what was let in has come in.
    assert.ok(await this.membersReachEachOther());
    return (await this.#seen('endpoint')) > reached;
  }

  membersReachEachOther(): Promise<boolean> {
    return pings(this.#far, this.#target);
  }

  onHost(...words: string[]) {
    return this.cluster.member(0).host.exec('nft', words);
  }

  /** Members of a set of the first host's. */
  async set(name: string): Promise<readonly string[]> {
    const { stdout } = await this.onHost('list', 'set', 'inet', 'weft', name);
    const [, members = ''] = /elements = \{([^}]*)\}/.exec(stdout) ?? [];
    return members.split(',').flatMap((member) => (member.trim() === '' ? [] : [member.trim()]));
  }

  async #seen(by: 'machine' | 'endpoint'): Promise<number> {
    const listing = ['list chain inet seen input'];
    const { stdout } =
      by === 'machine'
        ? await this.onHost(...listing)
        : await run('ip', ['netns', 'exec', this.#near, 'nft', ...listing]);
    return Number(/packets (\d+)/.exec(stdout)?.[1]);
  }
}

describe('Frames of strangers', function () {
  this.timeout(60_000);

  describe('as weft comes', () => {
    let scene: Scene;

    before(async function () {
      scene = await Scene.make(await startCluster(this, { hosts: ['h1', 'h2', 'h3'] }));
    });
    after(() => scene?.cluster.dispose());

    it('come in from a machine while it is a host', async () => {
      assert.equal((await scene.set('vteps4')).length, 2);
      assert.ok(await scene.isReached());
    });

    it('do not when it was removed, and those of hosts do', async () => {
      await scene.removeThird();
      assert.equal(await scene.isReached(), false);
    });

    it('stay out after the rules were taken away by hand, and those of hosts come in after the sets were', async () => {
      const [vteps, vnis] = [await scene.set('vteps4'), await scene.set('vnis')];
      for (const act of [
        'flush chain inet weft decapsulation',
        'flush set inet weft vteps4',
        'flush set inet weft vnis',
        `add element inet weft vteps4 { ${scene.cluster.member(2).host.place.ipv4} }`,
        'delete table inet weft',
      ]) {
        const { api } = scene.cluster.member(0);
        const { repairs } = (await api.call('status')).dataplane;
        await scene.onHost(act);
        await eventually(`it is repaired: ${act}`, async () => {
          return (await api.call('status')).dataplane.repairs > repairs;
        });
        assert.deepEqual([await scene.set('vteps4'), await scene.set('vnis')], [vteps, vnis]);
        assert.equal(await scene.isReached(), false, act);
      }
    });
  });

  describe('where the operator lets them in', () => {
    let scene: Scene;

    before(async function () {
      const args = ['--accept-foreign-vteps'];
      scene = await Scene.make(await startCluster(this, { hosts: ['h1', 'h2', 'h3'], args }));
    });
    after(() => scene?.cluster.dispose());

    it('come in from a machine that is no host any more', async () => {
      const third = scene.cluster.member(2);
      await third.daemon.stop();
      await scene.cluster.member(0).api.call('removeHost', { params: { name: third.host.name } });
      assert.ok(await scene.isReached());
    });
  });
});
