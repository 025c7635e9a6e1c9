import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeKernel } from '../../kernel/fake/fake-kernel.ts';
import { objectOf, portOf, recording } from '../../test/support/kernel-port.ts';
import { useRigs } from '../../test/support/rig.ts';
import type { KernelEvent, Operation } from '../dataplane/kernel.ts';
import { keyOf } from '../dataplane/key.ts';
import { sandboxNamespace } from '../dataplane/namespace.ts';
import type { KernelObject, Link } from '../dataplane/object.ts';
import { isWeftError } from '../errors.ts';
import { defaults } from './defaults.ts';

const red = sandboxNamespace('red');
const never = new AbortController().signal;

describe('core/reconcile', () => {
  const { scene, anew, again } = useRigs();

  describe('taking hold', () => {
    it('makes what is desired on an empty machine, and counts no drift', async () => {
      const { rig } = scene();
      await rig.start();
      rig.assertInOrder();
      assert.ok(rig.wanted().size > 15);
      assert.equal(rig.reconciler.repaired, 0);
      assert.equal(rig.reconciler.pending, 0);
      assert.equal(rig.reconciler.auditedAtMs, rig.clock.monotonicMs());
    });

    it('writes nothing before it is started, whatever is touched', async () => {
      const { rig, cluster, kernel, network } = scene();
      rig.follow(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'blue' }));
      await rig.advance(120_000);
      assert.equal(kernel.operations, 0);
      assert.equal(rig.reconciler.writes, 0);
    });

    it('writes nothing when it is started again with everything in place', async () => {
      const { rig, kernel } = scene();
      await rig.start();
      await rig.stop();
      const changes = kernel.changes;
      const second = again(rig);
      await second.start();
      await second.advance(3 * defaults.auditIntervalMs);
      assert.equal(second.reconciler.writes, 0);
      assert.equal(kernel.changes, changes);
      assert.equal(second.reconciler.repaired, 0);
      second.assertInOrder();
    });

    it('changes only what differs when it is started again, and counts that as drift', async () => {
      const { rig, kernel, far } = scene();
      await rig.start();
      await rig.stop();
      const fdb = objectOf(kernel.objects(), 'fdb', ({ remote }) => remote !== undefined);
      kernel.deleteByHand(fdb);
      const second = again(rig);
      await second.start();
      second.assertInOrder();
      assert.equal(second.reconciler.writes, 1);
      assert.deepEqual(
        second.reconciler.repairs().map(({ found, object }) => [found, object]),
        [['missing', fdb]],
      );
      assert.equal(fdb.mac, far.mac);
    });

    it('removes what is no longer desired: an endpoint, and a whole network with its namespace', async () => {
      const { rig, cluster, kernel, network, near } = scene();
      const other = cluster.addNetwork('n2').network;
      cluster.addEndpoint(other.id, { host: 'a', sandbox: 'blue' });
      const full = again(rig);
      await full.start();
      full.assertInOrder();
      await full.stop();
      cluster.removeEndpoint(near.id);
      const second = again(full);
      await second.start();
      second.assertInOrder();
      assert.deepEqual(
        (await kernel.namespaces()).some((ns) => ns.includes(network.id.slice(0, 10))),
        false,
      );
      assert.deepEqual(
        (await kernel.namespaces()).some((ns) => ns.includes(other.id.slice(0, 10))),
        true,
      );
    });

    it('waits for a kernel that does not answer yet', async () => {
      const kernel = new FakeKernel();
      let answers = false;
      const port = portOf(kernel, {
        namespaces: () => (answers ? kernel.namespaces() : Promise.reject(new Error('out of sockets'))),
      });
      const { rig } = scene({ port }, kernel);
      await rig.start();
      await rig.advance(1_000);
      assert.equal(rig.reconciler.writes, 0);
      answers = true;
      await rig.advance(2_000);
      rig.assertInOrder();
    });
  });

  describe('changes of the fold', () => {
    it('reaches the kernel without time passing, and without looking at what is there', async () => {
      const kernel = new FakeKernel();
      const { port, batches, dumps } = recording(kernel);
      const { rig, cluster, network } = scene({ port }, kernel);
      await rig.start();
      await rig.quiet();
      batches.length = 0;
      dumps.length = 0;
      rig.follow(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'x' }));
      for (let turn = 0; turn < 20 && batches.length === 0; turn += 1) await Promise.resolve();
      assert.deepEqual(
        batches.map((batch) => batch.map(({ op, object }) => [op, object.kind])),
        [
          [
            ['set', 'neighbour'],
            ['set', 'fdb'],
          ],
        ],
      );
      assert.deepEqual(dumps, []);
      await rig.settle();
      rig.assertInOrder();
      assert.deepEqual(dumps, []);
      assert.equal(rig.reconciler.pending, 0);
    });

    it('attaches to a large network with work that does not grow with it', async () => {
      const kernel = new FakeKernel();
      const { port, batches, dumps } = recording(kernel);
      const { cluster, network } = scene({ port }, kernel);
      for (let n = 0; n < 300; n += 1) cluster.addEndpoint(network.id, { host: 'b', sandbox: `s${n}` });
      const large = anew({ cluster, kernel, port });
      await large.start();
      large.assertInOrder();
      await large.quiet();
      batches.length = 0;
      dumps.length = 0;
      const { endpoint } = large.follow(
        cluster.addEndpoint(network.id, { host: 'a', sandbox: 'blue', name: 'b' }),
      );
      await large.reconciler.settled(large.desired.keysOf(endpoint.id), never);
      large.assertInOrder();
      assert.ok(batches.flat().length < 12, `${batches.flat().length} operations`);
      assert.deepEqual(
        dumps.filter((ns) => ns.startsWith('net:')),
        [],
      );
    });

    it('coalesces what comes while a pass is under way', async () => {
      const kernel = new FakeKernel();
      const gates: (() => void)[] = [];
      const batches: number[] = [];
      let gated = false;
      const port = portOf(kernel, {
        apply: async (operations) => {
          batches.push(operations.length);
          if (gated) await new Promise<void>((open) => gates.push(open));
          return kernel.apply(operations);
        },
      });
      const { rig, cluster, network } = scene({ port }, kernel);
      await rig.start();
      gated = true;
      batches.length = 0;
      rig.follow(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'first' }));
      await rig.settle();
      for (let n = 0; n < 50; n += 1)
        rig.follow(cluster.addEndpoint(network.id, { host: 'b', sandbox: `s${n}` }));
      await rig.settle();
      assert.deepEqual(batches, [2]);
      gated = false;
      gates.shift()?.();
      await rig.settle();
      assert.deepEqual(batches, [2, 100]);
      rig.assertInOrder();
    });

    it('sends what the fold wants now, not what it wanted when the batch was planned', async () => {
      const { rig, cluster, network } = scene({ options: { batchOperationsMax: 3 } });
      await rig.start();
      const made = [0, 1, 2, 3].map((n) =>
        rig.follow(cluster.addEndpoint(network.id, { host: 'b', sandbox: `s${n}` })),
      );
      for (const { endpoint } of made) rig.follow(cluster.removeEndpoint(endpoint.id));
      await rig.advance(1_000);
      rig.assertInOrder();
      assert.equal(rig.reconciler.repaired, 0);
    });

    it('moves an address that is used again to its new host', async () => {
      const { rig, cluster, kernel, network, far } = scene();
      rig.follow(cluster.setHost('c', '192.0.2.3'));
      await rig.start();
      const address = far.addresses[0]!.split('/')[0]!;
      rig.follow(cluster.removeEndpoint(far.id));
      rig.follow(cluster.addEndpoint(network.id, { host: 'c', sandbox: 'x', address }));
      await rig.settle();
      rig.assertInOrder();
      const remotes = kernel
        .objects()
        .flatMap((object) => (object.kind === 'fdb' && object.remote ? [object.remote] : []));
      assert.deepEqual(remotes, ['192.0.2.3']);
    });

    it('makes links anew that cannot be altered, with everything on them', async () => {
      const { rig, cluster } = scene();
      await rig.start();
      rig.follow(cluster.setHost('a', '192.0.2.77'));
      await rig.advance(1_000);
      rig.assertInOrder();
      assert.equal(rig.reconciler.repaired, 0);
      assert.deepEqual(rig.reconciler.failing(), []);
    });

    it('detaches the last endpoint with the namespace of its network', async () => {
      const { rig, cluster, kernel, near } = scene();
      await rig.start();
      const keys = rig.desired.keysOf(near.id);
      rig.follow(cluster.removeEndpoint(near.id));
      await rig.reconciler.settled(keys, never);
      assert.deepEqual(await kernel.namespaces(), []);
      rig.assertInOrder();
      await rig.advance(2 * defaults.auditIntervalMs);
      assert.equal(rig.reconciler.repaired, 0);
    });

    it('hears nothing new in its own echoes', async () => {
      const { rig, cluster, kernel, network } = scene();
      await rig.start();
      for (let n = 0; n < 20; n += 1) {
        const step = rig.follow(
          cluster.addEndpoint(network.id, {
            host: n % 2 ? 'a' : 'b',
            sandbox: n % 2 ? 'blue' : 'x',
            ifname: `if${n}`,
          }),
        );
        await rig.settle();
        if (n % 3 === 0) rig.follow(cluster.removeEndpoint(step.endpoint.id));
        await rig.settle();
      }
      const { writes } = rig.reconciler;
      await rig.advance(3 * defaults.auditIntervalMs);
      assert.equal(rig.reconciler.writes, writes);
      assert.equal(rig.reconciler.repaired, 0);
      assert.equal(kernel.operations, writes);
      rig.assertInOrder();
    });
  });

  describe('drift', () => {
    const kinds: Record<string, (object: KernelObject) => boolean> = {
      'the bridge': (object) => object.kind === 'link' && object.name === 'br0',
      'the VXLAN link': (object) => object.kind === 'link' && object.name === 'vxlan0',
      'the outer end of a pair': (object) => object.kind === 'link' && object.name.startsWith('veth'),
      'the inner end of a pair': (object) => object.kind === 'link' && object.name === 'eth0',
      'an address': (object) => object.kind === 'address' && object.ns === red,
      'the gateway address': (object) => object.kind === 'address' && object.ns !== red,
      'a route': (object) => object.kind === 'route' && object.ns === red,
      'a neighbour': (object) => object.kind === 'neighbour',
      'an FDB entry of the tunnel': (object) => object.kind === 'fdb' && object.remote !== undefined,
      'an FDB entry of the bridge': (object) => object.kind === 'fdb' && object.remote === undefined,
      'the namespace': (object) => object.kind === 'netns',
    };
    for (const [what, suits] of Object.entries(kinds)) {
      it(`repairs ${what} deleted by hand, by its event, and counts it`, async () => {
        const { rig, kernel } = scene();
        await rig.start();
        await rig.quiet();
        const object = kernel.objects().find(suits);
        assert.ok(object);
        kernel.deleteByHand(object);
        await rig.settle();
        rig.assertInOrder();
        const repair = rig.told.find((told) => keyOf(told.object) === keyOf(object));
        assert.equal(repair?.found, 'missing');
        assert.equal(repair?.noticed, 'event');
        assert.equal(repair?.at, rig.clock.wallMs());
        assert.equal(rig.reconciler.repaired, rig.told.length);
        assert.deepEqual(rig.reconciler.repairs(), rig.told);
        assert.ok(rig.logger.lines.some(({ message }) => message === 'repaired drift'));
        const { writes } = rig.reconciler;
        await rig.advance(2 * defaults.auditIntervalMs);
        assert.equal(rig.reconciler.writes, writes);
      });
    }

    const altered: Record<string, (object: KernelObject) => KernelObject | undefined> = {
      'a link set down': (object) =>
        object.kind === 'link' && object.name === 'eth0' ? { ...object, up: false } : undefined,
      'the VXLAN link set down': (object) =>
        object.kind === 'link' && object.name === 'vxlan0' ? { ...object, up: false } : undefined,
      'an MTU': (object) =>
        object.kind === 'link' && object.name === 'br0' ? { ...object, mtu: 1300 } : undefined,
      'a MAC': (object) =>
        object.kind === 'link' && object.name === 'eth0'
          ? ({ ...object, mac: '02:00:00:00:00:99' } as Link)
          : undefined,
      'a VNI': (object) =>
        object.kind === 'link' && object.type.type === 'vxlan'
          ? { ...object, type: { ...object.type, vni: 9999 } }
          : undefined,
      'learning on a port': (object) =>
        object.kind === 'link' && object.port !== undefined
          ? { ...object, port: { ...object.port, learning: true } }
          : undefined,
      'a neighbour': (object) =>
        object.kind === 'neighbour' ? ({ ...object, mac: '02:00:00:00:00:98' } as KernelObject) : undefined,
      'an FDB entry': (object) =>
        object.kind === 'fdb' && object.remote !== undefined
          ? ({ ...object, remote: '192.0.2.99' } as KernelObject)
          : undefined,
    };
    for (const [what, alter] of Object.entries(altered)) {
      it(`repairs ${what} altered by hand, and says what was found`, async () => {
        const { rig, kernel } = scene();
        await rig.start();
        await rig.quiet();
        const changed = kernel
          .objects()
          .map(alter)
          .find((object) => object !== undefined);
        assert.ok(changed);
        kernel.alterByHand(changed);
        await rig.settle();
        rig.assertInOrder();
        const repair = rig.told.find((told) => keyOf(told.object) === keyOf(changed));
        assert.equal(repair?.found, 'altered');
        assert.deepEqual(repair?.actual && { ...repair.actual }, { ...changed });
      });
    }

    it('deletes what was added by hand to its own tables, and leaves what others have alone', async () => {
      const { rig, kernel } = scene();
      await rig.start();
      await rig.quiet();
      const overlay = objectOf(kernel.objects(), 'netns').ns;
      kernel.addForeignLink(red, 'theirs');
      kernel.addForeignLink(overlay, 'theirs');
      kernel.addByHand({ kind: 'address', ns: red, link: 'eth0', address: '10.9.9.9/24' } as KernelObject);
      const foreign = kernel.foreignObjects();
      const strays = [
        { kind: 'neighbour', ns: overlay, link: 'vxlan0', address: '10.0.0.99', mac: '02:42:0a:00:00:63' },
        { kind: 'fdb', ns: overlay, link: 'vxlan0', mac: '02:42:0a:00:00:63', remote: '192.0.2.66' },
        { kind: 'address', ns: overlay, link: 'br0', address: '10.77.0.1/24' },
      ] as KernelObject[];
      for (const stray of strays) kernel.addByHand(stray);
      await rig.settle();
      rig.assertInOrder();
      const repaired = rig.told.map(({ found, object }) => `${found} ${keyOf(object)}`);
      for (const stray of strays) assert.ok(repaired.includes(`stray ${keyOf(stray)}`), keyOf(stray));
      assert.deepEqual(kernel.foreignObjects(), foreign);
    });

    it('finds by its audit what no event told of', async () => {
      const { rig, kernel } = scene();
      await rig.start();
      await rig.quiet();
      kernel.setDeaf(true);
      kernel.deleteByHand(objectOf(kernel.objects(), 'link', ({ name }) => name === 'vxlan0'));
      kernel.deleteByHand(objectOf(kernel.objects(), 'hosts'));
      kernel.setDeaf(false);
      await rig.settle();
      assert.notDeepEqual(rig.differences(), []);
      await rig.advance(defaults.auditIntervalMs);
      rig.assertInOrder();
      assert.deepEqual(new Set(rig.told.map(({ noticed }) => noticed)), new Set(['audit']));
    });

    it('looks at everything anew when events were lost', async () => {
      const { rig, kernel } = scene();
      await rig.start();
      await rig.quiet();
      kernel.setDeaf(true);
      kernel.deleteByHand(objectOf(kernel.objects(), 'neighbour'));
      kernel.setDeaf(false);
      kernel.loseEvents();
      await rig.settle();
      rig.assertInOrder();
      assert.deepEqual(
        rig.told.map(({ object, noticed }) => [object.kind, noticed]),
        [['neighbour', 'event']],
      );
    });

    it('repairs what is undone right after it was done', async () => {
      const { rig, cluster, kernel, network } = scene();
      await rig.start();
      await rig.quiet();
      rig.follow(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'x' }));
      await rig.settle();
      kernel.deleteByHand(objectOf(kernel.objects(), 'fdb', ({ remote }) => remote !== undefined));
      await rig.settle();
      rig.assertInOrder();
      assert.equal(rig.reconciler.repaired, 1);
    });

    it('goes on listening after the notifications broke off, and misses nothing', async () => {
      const kernel = new FakeKernel();
      let broken = 0;
      const port = portOf(kernel, {
        watch: (signal) => {
          if (broken === 2) return kernel.watch(signal);
          broken += 1;
          const next = (): Promise<IteratorResult<KernelEvent>> => Promise.reject(new Error('ENOBUFS'));
          return { [Symbol.asyncIterator]: () => ({ next }) };
        },
      });
      const { rig } = scene({ port }, kernel);
      await rig.start();
      kernel.deleteByHand(objectOf(kernel.objects(), 'neighbour'));
      await rig.quiet();
      rig.assertInOrder();
      kernel.deleteByHand(objectOf(kernel.objects(), 'neighbour'));
      await rig.settle();
      rig.assertInOrder();
    });

    it('keeps a bounded list of repairs, and sums up a burst in the log', async () => {
      const { rig, cluster, kernel, network } = scene({ options: { repairsMax: 8, repairsLoggedMax: 3 } });
      await rig.start();
      for (let n = 0; n < 20; n += 1)
        rig.follow(cluster.addEndpoint(network.id, { host: 'b', sandbox: `s${n}` }));
      await rig.quiet();
      kernel.deleteByHand(objectOf(kernel.objects(), 'link', ({ name }) => name === 'vxlan0'));
      await rig.advance(defaults.auditIntervalMs);
      rig.assertInOrder();
      assert.equal(rig.reconciler.repaired, 43);
      assert.equal(rig.reconciler.repairs().length, 8);
      const logged = rig.logger.lines.filter(({ message }) => message.startsWith('repaired'));
      assert.deepEqual(
        logged.map(({ message, values }) => values['repairs'] ?? message),
        ['repaired drift', 'repaired drift', 'repaired drift', 40],
      );
    });
  });

  describe('waiting for the kernel', () => {
    it('resolves at once for what is in order, and for what neither is nor should be', async () => {
      const { rig, near } = scene();
      await rig.start();
      await rig.reconciler.settled(
        [...rig.desired.keysOf(near.id), 'fdb net:weft-0 vxlan0 02:42:00:00:00:01 self'],
        never,
      );
    });

    it('waits for an attach until the kernel has it, and ends with its signal', async () => {
      const { rig, cluster, network } = scene();
      const cancel = new AbortController();
      const early = rig.reconciler.settled(rig.wanted().keys(), never);
      await rig.start();
      await early;
      rig.reconciler.pause('test');
      const { endpoint } = rig.follow(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'blue' }));
      const cancelled = rig.reconciler.settled(rig.desired.keysOf(endpoint.id), cancel.signal);
      let settled = false;
      const waiting = rig.reconciler.settled(rig.desired.keysOf(endpoint.id), never).then(() => {
        settled = true;
      });
      await rig.advance(1_000);
      assert.equal(settled, false);
      cancel.abort();
      await assert.rejects(cancelled, (error) => isWeftError(error, 'closed'));
      rig.reconciler.resume();
      await rig.settle();
      await waiting;
      rig.assertInOrder();
    });

    it('does not count what was in order and is lost again before the rest is', async () => {
      const { rig, cluster, kernel, network } = scene();
      await rig.start();
      const refused = new Set<KernelObject['kind']>(['fdb']);
      const refuse = ({ object }: Operation) => (refused.has(object.kind) ? { reason: 'EBUSY' } : undefined);
      kernel.injectFault(refuse);
      const { endpoint } = rig.follow(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'blue' }));
      let settled = false;
      const waiting = rig.reconciler.settled(rig.desired.keysOf(endpoint.id), never).then(() => {
        settled = true;
      });
      await rig.settle();
      const isInBlue = ({ ns }: KernelObject) => ns === sandboxNamespace('blue');
      kernel.deleteByHand(objectOf(kernel.objects(), 'address', isInBlue));
      refused.clear();
      refused.add('address');
      await rig.advance(defaults.retryDelayMsMin);
      assert.equal(settled, false, 'the address is gone');
      refused.clear();
      await rig.advance(1_000);
      await waiting;
      rig.assertInOrder();
    });

    it('ends with the reconciler', async () => {
      const { rig, cluster, network } = scene();
      await rig.start();
      rig.reconciler.pause('test');
      const { endpoint } = rig.follow(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'x' }));
      const waiting = assert.rejects(
        rig.reconciler.settled(rig.desired.keysOf(endpoint.id), never),
        (error) => isWeftError(error, 'closed'),
      );
      await rig.stop();
      await waiting;
    });
  });

  describe('a frozen data plane', () => {
    it('is not written to by anything until it is resumed', async () => {
      const { rig, cluster, kernel, network, near } = scene();
      await rig.start();
      await rig.quiet();
      rig.reconciler.pause('the log is another one');
      const { writes } = rig.reconciler;
      const { changes } = kernel;
      rig.follow(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'x' }));
      rig.follow(cluster.removeEndpoint(near.id));
      await rig.advance(2 * defaults.auditIntervalMs);
      assert.equal(rig.reconciler.writes, writes);
      assert.equal(kernel.changes, changes);
      assert.ok(rig.reconciler.pending > 0);
      rig.reconciler.resume();
      await rig.settle();
      rig.assertInOrder();
    });

    it('can be frozen between two batches', async () => {
      const kernel = new FakeKernel();
      const { port, batches } = recording(kernel);
      const { rig } = scene({ port, options: { batchOperationsMax: 4 } }, kernel);
      const apply = port.apply.bind(port);
      Object.assign(port, {
        apply: (operations: readonly Operation[]) => {
          if (batches.length === 1) rig.reconciler.pause('test');
          return apply(operations);
        },
      });
      await rig.start();
      assert.equal(batches.length, 2);
      rig.reconciler.resume();
      await rig.settle();
      rig.assertInOrder();
    });
  });
});
