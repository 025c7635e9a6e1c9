/** The fake passes the contract of the port, and its hooks do what they say. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { diff } from '../../core/dataplane/diff.ts';
import type { KernelEvent } from '../../core/dataplane/kernel.ts';
import { hostNamespace, sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { FdbEntry, Link, NftElement } from '../../core/dataplane/object.ts';
import type { InterfaceAddress, IpAddress } from '../../core/model/address.ts';
import { describeKernel } from '../../test/contract/kernel.contract.ts';
import { type KernelBench, macs, peer, testNetwork } from '../../test/contract/kernel-bench.ts';
import { FakeKernel } from './fake-kernel.ts';

type FakeBench = KernelBench & { readonly kernel: FakeKernel };

function fakeBench(): FakeBench {
  const kernel = new FakeKernel({ netnsPrefix: 'wt-' });
  const local = '192.0.2.15' as IpAddress;
  kernel.addUnderlay(local, 'eth0', 1500);
  kernel.addNoNamespace('/etc/hostname');
  let sandboxes = 0;
  const now = async (act: () => unknown): Promise<void> => void act();
  let chains = 0;
  return {
    kernel,
    netnsPrefix: 'wt-',
    local,
    underlayMtu: 1500,
    vni: 300,
    refs: { missing: 'nobody', host: 'pid:1', noNamespace: '/etc/hostname' },
    addSandbox: async () => {
      const ref = `sandbox${++sandboxes}`;
      kernel.addSandbox(ref);
      return ref;
    },
    removeSandbox: (ref) => now(() => kernel.removeSandbox(ref)),
    recreateSandbox: (ref) => now(() => kernel.recreateSandbox(ref)),
    addByHand: (object) => now(() => kernel.addByHand(object)),
    deleteByHand: (object) => now(() => kernel.deleteByHand(object)),
    alterLinkByHand: (link) => now(() => kernel.alterByHand(link)),
    flushRuleset: () => now(() => kernel.flushRuleset()),
    alterFirewallByHand: () =>
      now(() => kernel.alterByHand({ kind: 'nft-table', ns: hostNamespace, intact: false })),
    addDroppingChain: () =>
      now(() => {
        const chain = `c${++chains}`;
        kernel.addDroppingChain({ family: 'ip', table: 'other', chain, by: 'policy', accepts: false });
      }),
    startFlow: (port) => now(() => kernel.startFlow(local, port)),
    flowsTo: async (port) =>
      kernel.flows.filter((flow) => flow.port === port).map(({ target }) => target.join(' ')),
    listen: async (protocol, port) => {
      for (const address of ['0.0.0.0', '::'] as IpAddress[])
        kernel.addListener({ protocol, address, port, process: 'node (812)' });
      return 812;
    },
    addForeignLink: (ns, name) => now(() => kernel.addForeignLink(ns, name)),
    hasLink: async (ns, name) =>
      kernel.inventory().some((object) => object.kind === 'link' && object.ns === ns && object.name === name),
    close: () => kernel.close(),
  };
}

describeKernel('fake', { open: async () => fakeBench() });

describe('FakeKernel', () => {
  const entryOf = (bench: KernelBench): FdbEntry => ({
    kind: 'fdb',
    ns: testNetwork(bench).ns,
    link: 'vxlan0',
    mac: macs[0],
    remote: peer,
  });

  it('counts operations, and those that changed something', async () => {
    const bench = fakeBench();
    const operations = diff(testNetwork(bench).all, []);
    await bench.kernel.apply(operations);
    assert.deepEqual([bench.kernel.operations, bench.kernel.changes], [4, 4]);
    await bench.kernel.apply(operations);
    assert.deepEqual([bench.kernel.operations, bench.kernel.changes], [8, 4]);
  });

  it('fails the operations that it is told to, and may carry them out all the same', async () => {
    const bench = fakeBench();
    const { kernel } = bench;
    await kernel.apply(diff(testNetwork(bench).all, []));
    const operation = { op: 'set', object: entryOf(bench) } as const;
    const reason = 'ENOBUFS: No buffer space available';
    kernel.injectFault((_, index) => (index === 1 ? { reason, applied: true } : { reason }));
    assert.deepEqual(await kernel.apply([operation]), [{ ok: false, reason }]);
    assert.ok(!kernel.objects().some(({ kind }) => kind === 'fdb'));
    assert.deepEqual(await kernel.apply([operation]), [{ ok: false, reason }]);
    assert.ok(kernel.objects().some(({ kind }) => kind === 'fdb'));
    kernel.injectFault(undefined);
    assert.deepEqual(await kernel.apply([operation]), [{ ok: true }]);
  });

  it('loses events aloud and in silence', async () => {
    const bench = fakeBench();
    const { kernel } = bench;
    const { ns, all } = testNetwork(bench);
    await kernel.apply(diff(all, []));
    await kernel.follow(new Set([ns]));
    const events = kernel.watch(new AbortController().signal)[Symbol.asyncIterator]();
    const take = async (): Promise<KernelEvent> => (await events.next()).value as KernelEvent;
    kernel.addByHand(entryOf(bench));
    kernel.loseEvents();
    assert.deepEqual(await take(), { type: 'stale', ns });
    kernel.setDeaf(true);
    kernel.deleteByHand(entryOf(bench));
    kernel.setDeaf(false);
    kernel.addByHand(entryOf(bench));
    assert.deepEqual(await take(), { type: 'present', object: entryOf(bench) });
    await events.return?.();
  });

  it('gives a new sandbox of an old name another identity, and leaves what others made', async () => {
    const { kernel } = fakeBench();
    const ns = kernel.addSandbox('red');
    kernel.addForeignLink(ns, 'docker0');
    const before = await kernel.inspectSandbox('red');
    assert.deepEqual(before.foreignLinks, ['lo', 'docker0']);
    const foreign = () => kernel.foreignObjects().map((object) => object.kind === 'link' && object.name);
    assert.deepEqual(foreign(), ['eth0', 'docker0']);
    kernel.recreateSandbox('red');
    assert.notEqual((await kernel.inspectSandbox('red')).identity, before.identity);
    assert.deepEqual(foreign(), ['eth0']);
    assert.deepEqual(await kernel.dump(sandboxNamespace('red')), [
      { kind: 'link', ns, name: 'lo', owner: '', up: false, type: { type: 'loopback' } },
    ]);
  });

  it('forgets outdated flows in the next life of a daemon that died before it came to that', async () => {
    const bench = fakeBench();
    const { kernel } = bench;
    const port = (target: string): NftElement => ({
      kind: 'nft-element',
      ns: hostNamespace,
      set: 'anywhere4',
      key: ['udp', '8053'],
      value: [target, '53'],
    });
    await kernel.apply([
      { op: 'set', object: { kind: 'nft-table', ns: hostNamespace, intact: true } },
      { op: 'set', object: port('203.0.113.1') },
    ]);
    await kernel.dump(hostNamespace);
    await bench.startFlow(8053);
    kernel.deleteByHand(port('203.0.113.1'));
    kernel.addByHand(port('203.0.113.2'));
    await kernel.dump(hostNamespace);
    assert.deepEqual(await bench.flowsTo(8053), ['203.0.113.1 53']);
    kernel.reopen();
    await kernel.dump(hostNamespace);
    assert.deepEqual(await bench.flowsTo(8053), []);
  });

  it('forgets flows in the next life that lead to an endpoint without a port that says so', async () => {
    const bench = fakeBench();
    const { kernel } = bench;
    const host = { ns: hostNamespace, link: 'br-red' };
    const port: NftElement = {
      kind: 'nft-element',
      ns: hostNamespace,
      set: 'anywhere4',
      key: ['udp', '8053'],
      value: ['172.18.0.2', '53'],
    };
    const bridge: Link = {
      kind: 'link',
      ns: hostNamespace,
      name: 'br-red',
      owner: 'network:red',
      up: true,
      type: { type: 'bridge' },
    };
    await kernel.apply([
      { op: 'set', object: bridge },
      { op: 'set', object: { kind: 'address', ...host, address: '172.18.0.1/16' as InterfaceAddress } },
      { op: 'set', object: { kind: 'nft-table', ns: hostNamespace, intact: true } },
      { op: 'set', object: port },
    ]);
    await kernel.dump(hostNamespace);
    await bench.startFlow(8053);
    kernel.deleteByHand(port);
    await kernel.dump(hostNamespace);
    assert.deepEqual(await bench.flowsTo(8053), ['172.18.0.2 53']);
    kernel.reopen();
    await kernel.dump(hostNamespace);
    assert.deepEqual(await bench.flowsTo(8053), []);
  });
});
