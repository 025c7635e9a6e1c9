/** What cannot be looked at is left as it is, and so is what reaches into it. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeKernel } from '../../kernel/fake/fake-kernel.ts';
import { overlayRig, Rig } from '../../test/support/rig.ts';
import { type Namespace, sandboxNamespace } from '../dataplane/namespace.ts';

class ShyKernel extends FakeKernel {
  isHidden: (ns: Namespace) => boolean = () => false;

  override async dump(...[ns, options]: Parameters<FakeKernel['dump']>): ReturnType<FakeKernel['dump']> {
    if (this.isHidden(ns)) throw new Error('ENOBUFS');
    return super.dump(ns, options);
  }
}

describe('a reconciler that takes hold of a kernel that it cannot see whole', () => {
  for (const [what, isHidden] of [
    ['network', (ns: Namespace) => ns.startsWith('net:')],
    ['sandbox', (ns: Namespace) => ns === sandboxNamespace('red')],
  ] as const) {
    it(`leaves a pair alone whose end in the ${what} it cannot look at`, async () => {
      const kernel = new ShyKernel();
      const { rig: former, cluster } = overlayRig({}, kernel);
      await former.start();
      former.assertInOrder();
      await former.stop();
      const before = kernel.inventory();
      kernel.isHidden = isHidden;
      const rig = new Rig({ kernel, cluster });
      await rig.start();
      rig.reconciler.touch(rig.wanted().keys());
      await rig.advance(5_000);
      assert.deepEqual(kernel.inventory(), before);
      kernel.isHidden = () => false;
      await rig.advance(60_000);
      rig.assertInOrder();
      assert.deepEqual(kernel.inventory(), before);
      assert.equal(rig.reconciler.pending, 0);
      await rig.stop();
    });
  }

  it('says which namespace cannot be looked at, and holds the others', async () => {
    const kernel = new ShyKernel();
    kernel.isHidden = (ns) => ns === sandboxNamespace('red');
    const { rig, cluster, network, near } = overlayRig({}, kernel);
    rig.follow(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'blue' }));
    await rig.start();
    await rig.advance(5_000);
    const isOfRed = (text: string) => text.includes('red') || text.includes(`veth${near.id.slice(0, 11)}`);
    assert.ok(rig.differences().length > 0 && rig.differences().every(isOfRed));
    kernel.isHidden = () => false;
    await rig.advance(60_000);
    rig.assertInOrder();
    await rig.stop();
  });
});
