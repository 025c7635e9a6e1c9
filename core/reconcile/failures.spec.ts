/** What the kernel refuses, claims wrongly or cannot do now: told, tried again ever more seldom, made in the end. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeKernel } from '../../kernel/fake/fake-kernel.ts';
import { objectOf, portOf } from '../../test/support/kernel-port.ts';
import { useRigs } from '../../test/support/rig.ts';
import type { Operation } from '../dataplane/kernel.ts';
import { keyOf } from '../dataplane/key.ts';
import { sandboxNamespace } from '../dataplane/namespace.ts';
import { isWeftError } from '../errors.ts';
import { defaults } from './defaults.ts';

const red = sandboxNamespace('red');
const never = new AbortController().signal;

describe('failures of the kernel', () => {
  const { scene, again } = useRigs();

  const refuseLink = (name: string) => (operation: Operation) =>
    operation.object.kind === 'link' && operation.object.name === name
      ? { reason: 'ENOMEM: Cannot allocate memory' }
      : undefined;

  it('does not let an object that fails hold up others, and tries it again ever more seldom', async () => {
    const { rig, cluster, kernel, network } = scene();
    await rig.start();
    const refused: number[] = [];
    kernel.injectFault((operation) => {
      if (operation.object.kind !== 'link' || operation.object.name !== 'eth0') return undefined;
      refused.push(rig.clock.monotonicMs());
      return { reason: 'ENOMEM: Cannot allocate memory' };
    });
    rig.follow(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'blue' }));
    rig.follow(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'x' }));
    await rig.advance(60_000);
    const failing = rig.reconciler.failing().map(({ object, reason }) => [keyOf(object), reason]);
    assert.deepEqual(
      failing.find(([key]) => key === 'link sandbox:blue eth0')?.[1],
      'ENOMEM: Cannot allocate memory',
    );
    const pauses = refused.slice(1).map((at, index) => at - refused[index]!);
    assert.deepEqual(pauses.slice(0, 6), [50, 100, 200, 400, 800, 1600]);
    assert.ok(Math.max(...pauses) <= 30_000);
    assert.ok(
      rig.differences().every((text) => text.includes('blue')),
      String(rig.differences()),
    );
    kernel.injectFault(undefined);
    await rig.advance(60_000);
    rig.assertInOrder();
    assert.deepEqual(rig.reconciler.failing(), []);
    assert.equal(rig.reconciler.pending, 0);
    assert.equal(rig.reconciler.repaired, 0);
  });

  it('tells who waits that it failed, in the words of the kernel', async () => {
    const { rig, cluster, kernel, network } = scene();
    await rig.start();
    kernel.injectFault(refuseLink('eth0'));
    const { endpoint } = rig.follow(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'blue' }));
    const keys = rig.desired.keysOf(endpoint.id);
    const settled = rig.reconciler.settled(keys, never).then(
      () => undefined,
      (error: unknown) => error,
    );
    await rig.advance(1_000);
    const error = await settled;
    assert.ok(isWeftError(error, 'kernel'), String(error));
    assert.match(error.message, /eth0.*ENOMEM/);
    await assert.rejects(rig.reconciler.settled(keys, never), /ENOMEM/);
  });

  it('does not believe an operation that returns success and changes nothing', async () => {
    const kernel = new FakeKernel();
    let lying = true;
    const port = portOf(kernel, {
      apply: async (operations) => {
        const honest = operations.filter(
          ({ object }) => !(lying && object.kind === 'fdb' && object.remote !== undefined),
        );
        await kernel.apply(honest);
        return operations.map(() => ({ ok: true }));
      },
    });
    const { rig } = scene({ port }, kernel);
    await rig.start();
    await rig.advance(5_000);
    const [failing] = rig.reconciler.failing();
    assert.equal(failing?.object.kind, 'fdb');
    assert.match(failing?.reason ?? '', /reported success, but it is not there/);
    lying = false;
    await rig.advance(60_000);
    rig.assertInOrder();
    assert.deepEqual(rig.reconciler.failing(), []);
  });

  it('does not believe that links went with a namespace that is still there', async () => {
    const kernel = new FakeKernel();
    let wantItAgain = (): void => undefined;
    const port = portOf(kernel, {
      apply: async (operations) => {
        const lies = ({ op, object }: Operation) => op === 'delete' && object.kind === 'netns';
        if (!operations.some(lies)) return await kernel.apply(operations);
        await kernel.apply(operations.filter((operation) => !lies(operation)));
        wantItAgain();
        return operations.map(() => ({ ok: true }));
      },
    });
    const { rig, cluster, network, near } = scene({ port }, kernel);
    await rig.start();
    kernel.setDeaf(true);
    kernel.addSandbox('next');
    wantItAgain = () => void rig.follow(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'next' }));
    const keys = rig.desired.keysOf(near.id);
    rig.follow(cluster.removeEndpoint(near.id));
    const leftWhenSettled = rig.reconciler
      .settled(keys, never)
      .then(() => kernel.objects().filter((each) => each.kind === 'link' && each.owner.endsWith(near.id)));
    await rig.advance(60_000);
    assert.deepEqual(await leftWhenSettled, []);
    rig.assertInOrder();
  });

  it('sees that an operation took effect although its answer was lost', async () => {
    const { rig, cluster, kernel, network } = scene();
    await rig.start();
    kernel.injectFault(() => ({ reason: 'EINTR: Interrupted', applied: true }));
    const { endpoint } = rig.follow(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'x' }));
    await rig.reconciler.settled(rig.desired.keysOf(endpoint.id), never);
    assert.deepEqual(rig.reconciler.failing(), []);
    rig.assertInOrder();
  });

  it('counts a drift that could not be repaired at once when it is', async () => {
    const { rig, kernel } = scene();
    await rig.start();
    await rig.quiet();
    kernel.injectFault(() => ({ reason: 'ENOBUFS: No buffer space available' }));
    kernel.deleteByHand(objectOf(kernel.objects(), 'neighbour'));
    await rig.advance(500);
    assert.equal(rig.reconciler.repaired, 0);
    assert.equal(rig.reconciler.failing().length, 1);
    kernel.injectFault(undefined);
    await rig.advance(1_000);
    rig.assertInOrder();
    assert.equal(rig.reconciler.repaired, 1);
  });

  it('fails the objects of a sandbox that is gone without spinning, and makes them when it is back', async () => {
    const { rig, kernel } = scene();
    await rig.start();
    await rig.quiet();
    kernel.removeSandbox('red');
    await rig.advance(500);
    const reasons = rig.reconciler
      .failing()
      .filter(({ object }) => object.ns === red)
      .map(({ reason }) => reason);
    assert.ok(
      reasons.length > 0 && reasons.every((reason) => reason.includes('sandbox:red')),
      String(reasons),
    );
    const { writes } = rig.reconciler;
    await rig.advance(10 * 60_000);
    assert.ok(
      rig.reconciler.writes - writes < 40 * reasons.length,
      `${rig.reconciler.writes - writes} writes`,
    );
    kernel.addSandbox('red');
    await rig.advance(60_000);
    rig.assertInOrder();
  });

  it('leaves no half of a pair that only its second end was made of, for a later life to miss', async () => {
    const { rig, cluster, kernel, network } = scene();
    kernel.addSandbox('/run/other/ns');
    await rig.start();
    kernel.injectFault(({ object }) =>
      object.kind === 'link' && object.name.startsWith('veth')
        ? { reason: 'ENOBUFS: No buffer space' }
        : undefined,
    );
    const { endpoint } = rig.follow(cluster.addEndpoint(network.id, { host: 'a', sandbox: '/run/other/ns' }));
    await rig.advance(1);
    await rig.stop();
    kernel.injectFault(undefined);
    cluster.removeEndpoint(endpoint.id);
    const second = again(rig);
    await second.start();
    await second.advance(defaults.auditIntervalMs);
    second.assertInOrder();
  });

  it('forgets the failures of a sandbox that is gone when its endpoint is released', async () => {
    const { rig, cluster, kernel, near } = scene();
    await rig.start();
    kernel.removeSandbox('red');
    await rig.advance(500);
    const keys = rig.desired.keysOf(near.id);
    rig.follow(cluster.removeEndpoint(near.id));
    const settled = rig.reconciler.settled(keys, never);
    await rig.advance(1_000);
    await settled;
    assert.deepEqual(rig.reconciler.failing(), []);
    rig.assertInOrder();
  });
});
