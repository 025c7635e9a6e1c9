import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { VirtualCluster, type VirtualHost } from '../../test/support/virtual-cluster.ts';
import { ownedNamespace, sandboxNamespace } from '../dataplane/namespace.ts';
import type { KernelObject } from '../dataplane/object.ts';
import { toText } from '../dataplane/text.ts';
import { isWeftError } from '../errors.ts';
import { predefinedNetworks } from '../fold/predefined.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { encodeEntry } from '../log/entry.ts';
import type { EntryId } from '../model/ids.ts';
import type { NetworkRequest, RequestContext } from './control.ts';

const context: RequestContext = { by: 'spec', signal: cancelScope().signal };

describe('Controller', () => {
  let cluster: VirtualCluster;
  let h1: VirtualHost;
  let h2: VirtualHost;

  beforeEach(async () => {
    cluster = new VirtualCluster();
    h1 = await cluster.start('h1');
    h2 = await cluster.start('h2');
  });

  afterEach(() => cluster.dispose());

  describe('on two hosts', () => {
    it("repeats the seed: one network on both, addresses from one pool, each host's kernel told of the other", async () => {
      const red = await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      const near = await attach(h1, 'red', 'miniontest');
      const far = await attach(h2, 'red', 'mastertest');
      await cluster.settle();
      assert.deepEqual([near.addresses, far.addresses], [['10.0.1.2/24'], ['10.0.1.3/24']]);
      const ns = ownedNamespace(`weft-${red.id.slice(0, 10)}`);
      assert.deepEqual(
        textsOf(h1, 'fdb', ns).filter((text) => text.includes('vxlan0')),
        [
          `bridge -n weft-${red.id.slice(0, 10)} fdb replace 02:42:0a:00:01:03 dev vxlan0 self permanent dst 192.168.2.12`,
        ],
      );
      assert.deepEqual(
        textsOf(h2, 'fdb', ns).filter((text) => text.includes('vxlan0')),
        [
          `bridge -n weft-${red.id.slice(0, 10)} fdb replace 02:42:0a:00:01:02 dev vxlan0 self permanent dst 192.168.2.11`,
        ],
      );
      const hosts = h1.kernel.objects().find(({ kind }) => kind === 'hosts');
      assert.ok(hosts?.kind === 'hosts');
      assert.deepEqual(
        hosts.entries.map(({ address, names }) => `${address} ${names.join(' ')}`),
        ['10.0.1.3 mastertest mastertest.red', '10.0.1.2 miniontest miniontest.red'],
      );
      assert.equal(h1.controller.state.stateHash, h2.controller.state.stateHash);
    });

    it('lets exactly one of two hosts have a name that both ask for at once', async () => {
      const results = await cluster.drive(
        Promise.allSettled(
          [h1, h2].map(({ controller }) => controller.createNetwork(network('red', '10.0.1.0/24'), context)),
        ),
      );
      const refused = results.filter((result) => result.status === 'rejected');
      assert.equal(refused.length, 1);
      assert.ok(isWeftError(refused[0]?.reason, 'name-taken'));
      assert.equal(h1.controller.state.networks.size, 1 + predefinedNetworks.length);
    });

    it('finds what the other host has just made, although its own tail has not brought it yet', async () => {
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      const found = await cluster.drive(h2.controller.findNetwork('red', context.signal));
      assert.equal(found.name, 'red');
    });

    it("removes an endpoint of the other host, and that host's kernel lets go of it", async () => {
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      await attach(h2, 'red', 'far');
      await cluster.drive(h1.controller.removeEndpoint('red/far', context));
      await cluster.settle();
      assert.deepEqual(
        h2.kernel.objects().filter(({ kind }) => kind !== 'link'),
        [],
      );
    });
  });

  describe('attaching', () => {
    beforeEach(async () => {
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
    });

    it('answers when the interface is there with its address', async () => {
      await attach(h1, 'red', 'one');
      const ns = sandboxNamespace('one');
      assert.deepEqual(textsOf(h1, 'address', ns), [
        'ip -n one address replace 10.0.1.2/24 dev eth0',
        'ip -n one address replace 192.168.240.2/20 dev eth1',
      ]);
    });

    it('takes the endpoint back when the kernel refuses, and says why', async () => {
      h1.kernel.injectFault(({ object }) =>
        object.kind === 'address' ? { reason: 'EPERM: not today' } : undefined,
      );
      await assert.rejects(attach(h1, 'red', 'one'), (error) => {
        assert.ok(isWeftError(error, 'attach-failed'));
        assert.match(error.message, /^Cannot attach 'one': .*EPERM: not today; nothing was kept$/);
        return true;
      });
      h1.kernel.injectFault(undefined);
      await cluster.settle();
      assert.equal(h1.controller.state.endpoints.size, 0);
      assert.deepEqual(
        h1.kernel.objects().filter(({ kind }) => kind !== 'link'),
        [],
      );
    });

    it('asks nothing of the log for a sandbox that there is not', async () => {
      const { ordinal } = h1.controller.state;
      const connecting = h1.controller.connect('red', { sandbox: 'nowhere', aliases: [] }, context);
      await assert.rejects(cluster.drive(connecting), (error) => isWeftError(error, 'no-such-sandbox'));
      assert.equal(h1.controller.state.ordinal, ordinal);
    });

    it('knows a sandbox that is referred to in another way for the one that it is', async () => {
      await attach(h1, 'red', 'one');
      await cluster.drive(h1.controller.createNetwork(network('blue', '10.0.2.0/24'), context));
      const inspect = h1.kernel.inspectSandbox.bind(h1.kernel);
      h1.kernel.inspectSandbox = (ref) => inspect(ref === '/run/netns/one' ? 'one' : ref);
      const request = { sandbox: '/run/netns/one', aliases: [] };
      const endpoint = await cluster.drive(h1.controller.connect('blue', request, context));
      assert.deepEqual([endpoint.sandbox.ref, endpoint.ifname], ['one', 'eth2']);
      await cluster.drive(h1.controller.disconnect('red', '/run/netns/one', context));
      assert.equal(h1.controller.state.endpoints.size, 1);
    });

    it('avoids the names of interfaces that others made', async () => {
      const ns = h1.kernel.addSandbox('busy');
      h1.kernel.addForeignLink(ns, 'eth0');
      const endpoint = await cluster.drive(
        h1.controller.connect('red', { sandbox: 'busy', aliases: [] }, context),
      );
      assert.equal(endpoint.ifname, 'eth1');
    });

    it('looks at one namespace of its own and at the new sandbox, whatever else is attached', async () => {
      for (let count = 0; count < 5; count++) await attach(h1, 'red', `early${count}`);
      await cluster.settle();
      const dumped: string[] = [];
      const dump = h1.kernel.dump.bind(h1.kernel);
      h1.kernel.dump = (ns, options) => {
        dumped.push(`${ns} ${[...(options?.kinds ?? ['all'])].join(',')}`);
        return dump(ns, options);
      };
      await attach(h1, 'red', 'late');
      await cluster.settle();
      const others = dumped.filter((text) => text.startsWith('sandbox:early') && !text.endsWith(' hosts'));
      assert.deepEqual(others, []);
      assert.deepEqual(
        dumped.filter((text) => text.startsWith('net:')),
        [],
      );
    });
  });

  describe('with its store', () => {
    it('answers reads and refuses changes with the truth while it is lost, and goes on when it is back', async () => {
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      const restore = cluster.store.interrupt('refuse');
      const creating = h1.controller.createNetwork(network('blue', '10.0.2.0/24'), context);
      const beganMs = cluster.clock.monotonicMs();
      await assert.rejects(cluster.drive(creating), (error) => isWeftError(error, 'store-unreachable'));
      assert.ok(cluster.clock.monotonicMs() - beganMs <= 5_000);
      assert.equal((await cluster.drive(h1.controller.findNetwork('red', context.signal))).name, 'red');
      const status = await cluster.drive(h1.controller.status(context.signal));
      assert.equal(status.store.reachable, false);
      restore();
      await cluster.drive(h1.controller.createNetwork(network('green', '10.0.3.0/24'), context));
      assert.deepEqual([...h1.controller.state.networks.values()].map(({ name }) => name).sort(), [
        'bridge',
        'green',
        'host',
        'none',
        'red',
        'weft_gwbridge',
      ]);
    });

    it('says that the outcome is unknown when the answer is lost and the tail is cut off', async () => {
      const restore = cluster.store.interrupt((operation) =>
        operation === 'append' ? 'lose-answer' : 'refuse',
      );
      const creating = h1.controller.createNetwork(network('red', '10.0.1.0/24'), context);
      await assert.rejects(cluster.drive(creating), (error) => isWeftError(error, 'outcome-unknown'));
      restore();
      await cluster.settle();
      assert.equal(
        h1.controller.state.networks.size,
        1 + predefinedNetworks.length,
        'and it was carried out',
      );
    });

    it('waits for an outcome that comes late, for as long as the request may take', async () => {
      const restore = cluster.store.interrupt((operation) => (operation === 'read' ? 'refuse' : undefined));
      const creating = h1.controller.createNetwork(network('red', '10.0.1.0/24'), context);
      creating.catch(() => undefined);
      await cluster.clock.advance(4_000);
      restore();
      assert.equal((await cluster.drive(creating)).name, 'red');
    });

    it('answers with success when only the ack is lost, because the record comes back by the tail', async () => {
      const restore = cluster.store.interrupt((operation) =>
        operation === 'append' ? 'lose-answer' : undefined,
      );
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      restore();
    });

    it('waits for it at the start', async () => {
      const restore = cluster.store.interrupt('refuse');
      const h3 = cluster.launch('h3');
      await cluster.clock.advance(10_000);
      assert.equal(await cluster.phaseOf(h3), 'opening');
      restore();
      await cluster.until(async () => (await cluster.phaseOf(h3)) === 'running', h3.running);
    });
  });

  describe('over its lives', () => {
    it('ends without complaint when it is told to before the store has answered', async () => {
      const restore = cluster.store.interrupt('refuse');
      const h3 = cluster.launch('h3');
      await cluster.clock.advance(1_000);
      await cluster.stop(h3);
      restore();
    });

    it('does not say that there is no such network before it has reached its store', async () => {
      const restore = cluster.store.interrupt('refuse');
      const h3 = cluster.launch('h3');
      const finding = h3.controller.findNetwork('red', context.signal);
      await assert.rejects(finding, (error) => isWeftError(error, 'not-ready'));
      restore();
    });

    it('adopts what its former life made, and writes nothing', async () => {
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      await attach(h1, 'red', 'one');
      await attach(h2, 'red', 'two');
      await cluster.settle();
      const before = inventoryOf(h1);
      await cluster.stop(h1);
      const again = await cluster.start('h1', { kernel: h1.kernel, address: '192.168.2.11' });
      await cluster.settle();
      const { dataplane, epoch } = await cluster.drive(again.controller.status(context.signal));
      assert.deepEqual([dataplane.writes, dataplane.repairs, dataplane.pending, epoch], [0, 0, 0, 2]);
      assert.deepEqual(inventoryOf(again), before);
    });

    it('releases the endpoints of sandboxes that went away behind its back', async () => {
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      await attach(h1, 'red', 'one');
      h1.kernel.removeSandbox('one');
      await cluster.until(() => h1.controller.state.endpoints.size === 0);
      await cluster.settle();
      assert.deepEqual(
        h1.kernel.objects().filter(({ kind }) => kind !== 'link'),
        [],
      );
    });

    it('attaches a later sandbox of the same name anew, though it never heard that the former one went', async () => {
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      await attach(h1, 'red', 'one');
      h1.kernel.setDeaf(true);
      h1.kernel.recreateSandbox('one');
      h1.kernel.setDeaf(false);
      await cluster.until(() => h1.controller.state.endpoints.size === 0);
      await cluster.drive(h1.controller.connect('red', { sandbox: 'one', aliases: [] }, context));
      const loopback = h1.kernel
        .objects()
        .find((each) => each.kind === 'link' && each.ns === sandboxNamespace('one') && each.name === 'lo');
      assert.ok(loopback?.kind === 'link' && loopback.up, 'success, and its loopback is down');
    });

    it('does not take a later sandbox of the same name for the one that it attached', async () => {
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      await attach(h1, 'red', 'one');
      h1.kernel.recreateSandbox('one');
      await cluster.until(() => h1.controller.state.endpoints.size === 0);
      await cluster.settle();
      assert.deepEqual(
        h1.kernel.objects().filter((object) => object.kind === 'address'),
        [],
      );
    });

    it('refuses to live under the name of another machine', async () => {
      const foreign = cluster.launch('h1', { identity: 'f'.repeat(32) });
      await assert.rejects(cluster.drive(foreign.running), (error) => isWeftError(error, 'host-taken'));
      foreign.scope.cancel();
    });

    it('stops when another daemon takes over its identity, and leaves the data plane alone', async () => {
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      await attach(h1, 'red', 'one');
      await cluster.start('h1', { address: '192.168.2.11' });
      assert.equal(await cluster.phaseOf(h1), 'halted');
      const creating = h1.controller.createNetwork(network('blue', '10.0.2.0/24'), context);
      await assert.rejects(cluster.drive(creating), (error) => isWeftError(error, 'stale-epoch'));
      const { operations } = h1.kernel;
      h1.kernel.deleteByHand(h1.kernel.objects().find(({ kind }) => kind === 'address') as KernelObject);
      await cluster.clock.advance(60_000);
      assert.equal(h1.kernel.operations, operations);
    });

    it('takes its objects away when it is removed from the cluster, and says what to do', async () => {
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      await attach(h1, 'red', 'one');
      await cluster.drive(h2.controller.removeHost('h1', context));
      await cluster.settle();
      assert.equal(await cluster.phaseOf(h1), 'removed');
      assert.deepEqual(
        h1.kernel.objects().filter(({ kind }) => kind !== 'link'),
        [],
      );
      const creating = h1.controller.createNetwork(network('blue', '10.0.2.0/24'), context);
      await assert.rejects(cluster.drive(creating), (error) => isWeftError(error, 'host-removed'));
    });

    it('halts before a record of a newer version, and keeps the data plane', async () => {
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      await attach(h1, 'red', 'one');
      await cluster.settle();
      const before = inventoryOf(h1);
      const newer = Buffer.from('{"v":2,"id":"00000000000000000000000000000000"}');
      cluster.store.put({ id: '0'.repeat(32) as EntryId, base: 0, bytes: encodeEntry([newer]) });
      await cluster.until(async () => (await cluster.phaseOf(h1)) === 'halted');
      const status = await cluster.drive(h1.controller.status(context.signal));
      assert.match(status.phaseReason ?? '', /version 2.*upgrade weft/);
      assert.equal((await cluster.drive(h1.controller.findNetwork('red', context.signal))).name, 'red');
      assert.deepEqual(inventoryOf(h1), before);
    });

    it('touches nothing in the kernel before it has caught up', async () => {
      await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
      await attach(h1, 'red', 'one');
      await cluster.stop(h1);
      const { kernel } = h1;
      const restore = cluster.store.interrupt((operation) => (operation === 'read' ? 'refuse' : undefined));
      const again = cluster.launch('h1', { kernel, address: '192.168.2.11' });
      await cluster.clock.advance(30_000);
      assert.equal(kernel.operations, 0);
      restore();
      await cluster.until(async () => (await cluster.phaseOf(again)) === 'running', again.running);
    });
  });

  it('tells embedders of networks, endpoints and repairs', async () => {
    const networks: string[][] = [];
    const repairs: string[] = [];
    h1.controller.networks$.subscribe((rows) => networks.push(rows.map(({ name }) => name)));
    h1.controller.drift$.subscribe(({ found, object }) => repairs.push(`${found} ${object.kind}`));
    await cluster.drive(h1.controller.createNetwork(network('red', '10.0.1.0/24'), context));
    await attach(h1, 'red', 'one');
    h1.kernel.deleteByHand(h1.kernel.objects().find(({ kind }) => kind === 'address') as KernelObject);
    await cluster.settle();
    assert.deepEqual(
      networks.map((names) => names.sort()),
      [
        ['bridge', 'host', 'none', 'weft_gwbridge'],
        ['bridge', 'host', 'none', 'red', 'weft_gwbridge'],
      ],
    );
    assert.ok(repairs.includes('missing address'), repairs.join());
  });

  async function attach(host: VirtualHost, ref: string, sandbox: string) {
    host.kernel.addSandbox(sandbox);
    return cluster.drive(host.controller.connect(ref, { sandbox, name: sandbox, aliases: [] }, context));
  }
});

function network(name: string, prefix: string): NetworkRequest {
  return {
    name,
    driver: 'overlay',
    subnets: [{ prefix, aux: {} }],
    ipv6: false,
    internal: false,
    space: 'default',
    options: {},
    labels: {},
  };
}

function textsOf(host: VirtualHost, kind: KernelObject['kind'], ns: string): string[] {
  return host.kernel
    .objects()
    .filter((object) => object.kind === kind && object.ns === ns)
    .map(toText)
    .sort();
}

function inventoryOf(host: VirtualHost): string[] {
  return host.kernel.objects().map(toText).sort();
}
