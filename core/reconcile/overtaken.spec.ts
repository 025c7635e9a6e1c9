import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeKernel } from '../../kernel/fake/fake-kernel.ts';
import { overlayRig } from '../../test/support/rig.ts';

describe('core/reconcile, overtaken by the fold', () => {
  it('writes a hosts file again that the fold changed while it was being written', async () => {
    const kernel = new FakeKernel();
    let pass: (() => void) | undefined;
    let isSlow = false;
    const port = new Proxy(kernel, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (name !== 'apply') return typeof value === 'function' ? value.bind(target) : value;
        return async (...args: Parameters<FakeKernel['apply']>) => {
          const results = await kernel.apply(...args);
          if (isSlow) await new Promise<void>((resolve) => (pass = resolve));
          return results;
        };
      },
    });
    const { rig, cluster, network } = overlayRig({ port }, kernel);
    try {
      await rig.start();
      isSlow = true;
      rig.follow(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'one', name: 'one' }));
      await rig.settle();
      assert.ok(pass !== undefined, 'the file is being written');
      rig.follow(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'two', name: 'two' }));
      isSlow = false;
      pass();
      await rig.settle();
      rig.assertInOrder();
      assert.equal(rig.reconciler.pending, 0);
      assert.equal(rig.reconciler.repaired, 0);
    } finally {
      await rig.stop();
    }
  });
});
