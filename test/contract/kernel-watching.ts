/** Part of the kernel port's contract: notifications, sandboxes and the underlay. */
import assert from 'node:assert/strict';
import { it } from 'mocha';
import { connectedRouteOf } from '../../core/dataplane/connected.ts';
import { sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { Address, FdbEntry, Neighbour } from '../../core/dataplane/object.ts';
import { isWeftError } from '../../core/errors.ts';
import { address, type Bench, interfaceAddress, macs, peer, testNetwork, testPair } from './kernel-bench.ts';
import { listen, namespaceOf } from './kernel-ears.ts';
import { remove, set } from './kernel-steps.ts';

export function describeWatch(bench: Bench): void {
  it('tells of our own changes', async () => {
    const network = testNetwork(bench());
    const entry: FdbEntry = { kind: 'fdb', ns: network.ns, link: 'vxlan0', mac: macs[0], remote: peer };
    await set(bench(), ...network.all);
    const ears = await listen(bench(), [network.ns]);
    await set(bench(), entry);
    await ears.hear('present', entry);
    await remove(bench(), entry);
    await ears.hear('absent', entry);
    await ears.close();
  });

  it('tells of changes by others, of every kind on a link', async () => {
    const network = testNetwork(bench());
    const [outer, inner] = testPair(network, await bench().addSandbox());
    const on = { ns: inner.ns, link: inner.name };
    const own: Address = { kind: 'address', ...on, address: interfaceAddress('10.0.1.2/24') };
    const connected = connectedRouteOf(own);
    assert.ok(connected !== undefined);
    const neighbour: Neighbour = {
      kind: 'neighbour',
      ns: network.ns,
      link: 'vxlan0',
      address: address('10.0.1.3'),
      mac: macs[1],
    };
    const remote: FdbEntry = { kind: 'fdb', ns: network.ns, link: 'vxlan0', mac: macs[1], remote: peer };
    const local: FdbEntry = { kind: 'fdb', ns: network.ns, link: outer.name, mac: macs[0] };
    await set(bench(), ...network.all, outer, inner, own, neighbour, remote, local);
    const ears = await listen(bench(), [network.ns, inner.ns]);
    for (const object of [local, remote, neighbour, connected, own]) {
      await bench().deleteByHand(object);
      await ears.hear('absent', object);
    }
    await bench().alterLinkByHand({ ...network.bridge, mtu: 1400 });
    await ears.hear('present', { ...network.bridge, mtu: 1400 });
    await bench().deleteByHand(outer);
    await ears.hear('absent', outer);
    await ears.hear('absent', inner);
    await ears.close();
  });

  it('tells of a followed namespace that is gone, and of none that is not followed', async () => {
    const [a, b] = [testNetwork(bench(), 'a'), testNetwork(bench(), 'b')];
    await set(bench(), ...a.all, ...b.all);
    const ref = await bench().addSandbox();
    const ns = sandboxNamespace(ref);
    const ears = await listen(bench(), [a.ns, ns]);
    await set(bench(), { ...b.bridge, mtu: 1400 }, { ...a.bridge, mtu: 1400 });
    await ears.hear('present', { ...a.bridge, mtu: 1400 });
    assert.ok(ears.heard.every((event) => namespaceOf(event) !== b.ns));
    await bench().removeSandbox(ref);
    await ears.until((event) => event.type === 'namespace-gone' && event.ns === ns);
    await ears.close();
  });

  it('ends with its signal, and with the kernel', async () => {
    const { kernel } = bench();
    const controller = new AbortController();
    const first = kernel.watch(controller.signal)[Symbol.asyncIterator]();
    const pending = first.next();
    controller.abort();
    assert.equal((await pending).done, true);
    const second = kernel.watch(new AbortController().signal)[Symbol.asyncIterator]();
    const last = second.next();
    await kernel.close();
    assert.equal((await last).done, true);
  });
}

export function describeSandboxes(bench: Bench): void {
  it('a sandbox has an identity of its own, and tells whose links are not ours', async () => {
    const network = testNetwork(bench());
    const ref = await bench().addSandbox();
    const [outer, inner] = testPair(network, ref);
    await set(bench(), ...network.all, outer, inner);
    await bench().addForeignLink(inner.ns, 'docker0');
    const found = await bench().kernel.inspectSandbox(ref);
    assert.deepEqual([...found.foreignLinks].sort(), ['docker0', 'lo']);
    assert.equal((await bench().kernel.inspectSandbox(ref)).identity, found.identity);
    await bench().recreateSandbox(ref);
    const other = await bench().kernel.inspectSandbox(ref);
    assert.notEqual(other.identity, found.identity);
    assert.deepEqual(other.foreignLinks, ['lo']);
  });

  it('what is no sandbox is told apart', async () => {
    const { kernel, refs } = bench();
    for (const [ref, code] of [
      [refs.missing, 'no-such-sandbox'],
      [refs.noNamespace, 'bad-sandbox'],
      ['../etc', 'bad-sandbox'],
    ] as const) {
      await assert.rejects(kernel.inspectSandbox(ref), (error) => isWeftError(error, code), ref);
    }
  });

  it('the host’s own namespace is known as such', async () => {
    const { kernel, refs } = bench();
    const found = await kernel.inspectSandbox(refs.host);
    assert.equal(found.isHost, true);
    const sandbox = await kernel.inspectSandbox(await bench().addSandbox());
    assert.equal(sandbox.isHost, undefined);
    assert.notEqual(sandbox.identity, found.identity);
  });

  it('the underlay link is found by its address', async () => {
    const { kernel, local, underlayMtu } = bench();
    assert.equal((await kernel.underlay(local)).mtu, underlayMtu);
    await assert.rejects(kernel.underlay(address('203.0.113.77')), (error) =>
      isWeftError(error, 'bad-configuration'),
    );
  });
}
