/** Part of the kernel port's contract: what the kernel does by itself, what others do, and what is refused. */
import assert from 'node:assert/strict';
import { it } from 'mocha';
import { connectedRouteOf } from '../../core/dataplane/connected.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import { sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { Address, FdbEntry, KernelObject, Link, Neighbour } from '../../core/dataplane/object.ts';
import { toText } from '../../core/dataplane/text.ts';
import {
  address,
  type Bench,
  interfaceAddress,
  macs,
  peer,
  prefix,
  testNetwork,
  testPair,
} from './kernel-bench.ts';
import { assertIs, dump, dumpKeys, eventually, find, keys, remove, set } from './kernel-steps.ts';

export function describeCascades(bench: Bench): void {
  it('what is on a link goes with it, and does not come back with another of its name', async () => {
    const network = testNetwork(bench());
    const on = { ns: network.ns, link: 'vxlan0' };
    const entries: KernelObject[] = [
      { kind: 'neighbour', ...on, address: address('10.0.1.2'), mac: macs[0] },
      { kind: 'fdb', ...on, mac: macs[0], remote: peer },
    ];
    await set(bench(), ...network.all, ...entries);
    await remove(bench(), network.vxlan);
    await set(bench(), network.vxlan);
    assert.deepEqual(await dumpKeys(bench(), network.ns), keys(network.all));
  });

  it('with either end of a pair goes the other', async () => {
    const network = testNetwork(bench());
    const pair = testPair(network, await bench().addSandbox());
    await set(bench(), ...network.all);
    for (const end of pair) {
      await set(bench(), ...pair);
      await remove(bench(), end);
      for (const gone of pair) assert.equal(await find(bench(), gone), undefined);
    }
  });

  it('with a namespace goes everything in it, and the far ends of its pairs', async () => {
    const network = testNetwork(bench());
    const [outer, inner] = testPair(network, await bench().addSandbox());
    await set(bench(), ...network.all, outer, inner);
    await remove(bench(), network.netns);
    assert.deepEqual(await dump(bench(), network.ns), []);
    assert.ok(!(await bench().hasLink(inner.ns, inner.name)));
    assert.deepEqual(await bench().kernel.namespaces(), []);
  });

  it('with a sandbox that its user removes go the near ends', async () => {
    const network = testNetwork(bench());
    const ref = await bench().addSandbox();
    const [outer, inner] = testPair(network, ref);
    await set(bench(), ...network.all, outer, inner);
    await bench().removeSandbox(ref);
    await eventually(async () => !(await bench().hasLink(network.ns, outer.name)));
    assert.deepEqual(await dump(bench(), inner.ns), []);
    assert.deepEqual(await dumpKeys(bench(), network.ns), keys(network.all));
  });

  it('a port that leaves its bridge loses its entries there, a link with another MAC its neighbours', async () => {
    const network = testNetwork(bench());
    const on = { ns: network.ns, link: 'vxlan0' };
    const entry: FdbEntry = { kind: 'fdb', ...on, mac: macs[0] };
    const neighbour: Neighbour = { kind: 'neighbour', ...on, address: address('10.0.1.2'), mac: macs[0] };
    await set(bench(), ...network.all, entry, neighbour);
    const { master: _master, port: _port, ...unplugged } = network.vxlan;
    await set(bench(), unplugged, network.vxlan);
    assert.equal(await find(bench(), entry), undefined);
    await assertIs(bench(), neighbour);
    await set(bench(), { ...network.vxlan, mac: macs[1] });
    assert.equal(await find(bench(), neighbour), undefined);
  });
}

export function describeOthers(bench: Bench): void {
  it('strays on links in owned namespaces are reported, and can be deleted', async () => {
    const network = testNetwork(bench());
    const on = { ns: network.ns, link: 'vxlan0' };
    const strays: KernelObject[] = [
      { kind: 'neighbour', ...on, address: address('10.0.1.66'), mac: macs[0] },
      { kind: 'fdb', ...on, mac: macs[0], remote: peer },
      { kind: 'fdb', ...on, mac: macs[1] },
      { kind: 'address', ns: network.ns, link: 'br0', address: interfaceAddress('10.0.66.1/24') },
    ];
    await set(bench(), ...network.all);
    for (const stray of strays) await bench().addByHand(stray);
    await assertIs(bench(), ...strays);
    await remove(bench(), ...strays);
    assert.deepEqual(await dumpKeys(bench(), network.ns), keys(network.all));
  });

  it('links without the alias are not reported, not deleted and not taken over', async () => {
    const network = testNetwork(bench());
    const ref = await bench().addSandbox();
    const [outer, inner] = testPair(network, ref);
    await set(bench(), ...network.all);
    for (const ns of [network.ns, inner.ns]) await bench().addForeignLink(ns, 'eth1');
    const foreign: Link = { ...network.bridge, ns: inner.ns, name: 'eth1' };
    assert.deepEqual(await dumpKeys(bench(), network.ns), keys(network.all));
    assert.deepEqual(
      (await dump(bench(), inner.ns)).map((object) => keyOf(object)),
      [keyOf({ ...network.lo, ns: inner.ns })],
    );
    await remove(bench(), foreign);
    const [result] = await bench().kernel.apply([{ op: 'set', object: outer }]);
    assert.ok(result?.ok === false && result.reason.includes('EEXIST'), JSON.stringify(result));
    assert.ok(await bench().hasLink(inner.ns, 'eth1'));
    await remove(bench(), network.netns);
  });

  it('what a user puts on our interface in a sandbox is neither reported nor touched', async () => {
    const network = testNetwork(bench());
    const ref = await bench().addSandbox();
    const [outer, inner] = testPair(network, ref);
    const on = { ns: inner.ns, link: inner.name };
    const ours: Address = { kind: 'address', ...on, address: interfaceAddress('10.0.1.2/24') };
    const theirs: Address = { kind: 'address', ...on, address: interfaceAddress('10.66.0.1/24') };
    await set(bench(), ...network.all, outer, inner, ours);
    await bench().addByHand(theirs);
    await remove(bench(), theirs);
    const expected = [{ ...network.lo, ns: inner.ns }, inner, ours, connectedRouteOf(ours)].filter(
      (object) => object !== undefined,
    );
    assert.deepEqual(await dumpKeys(bench(), inner.ns), keys(expected));
    // Still there: it can be deleted by the one who made it.
    await bench().deleteByHand(theirs);
  });

  it("an end of a pair whose alias was taken away is weft's again by a set", async () => {
    const network = testNetwork(bench());
    const [outer, inner] = testPair(network, await bench().addSandbox());
    await set(bench(), ...network.all, outer, inner);
    await bench().alterLinkByHand({ ...inner, owner: '' });
    assert.equal(await find(bench(), inner), undefined);
    await set(bench(), inner);
    await assertIs(bench(), outer, inner);
  });
}

export function describeFailures(bench: Bench): void {
  it('one failed operation says why, and does not stop the others', async () => {
    const network = testNetwork(bench());
    const good: FdbEntry = { kind: 'fdb', ns: network.ns, link: 'vxlan0', mac: macs[0], remote: peer };
    const bad: FdbEntry = { ...good, link: 'vxlan9' };
    const objects: KernelObject[] = [...network.all, bad, good];
    const results = await bench().kernel.apply(objects.map((object) => ({ op: 'set', object })));
    assert.deepEqual(
      results.map(({ ok }) => ok),
      objects.map((object) => object !== bad),
    );
    const failed = results.find((result) => !result.ok);
    assert.ok(failed?.ok === false && /^E[A-Z]+: [^\n]+$/.test(failed.reason), JSON.stringify(failed));
    await assertIs(bench(), good);
  });

  it('what stands on nothing is refused', async () => {
    const network = testNetwork(bench());
    const missing = sandboxNamespace(bench().refs.missing);
    await set(bench(), ...network.all);
    const [outer] = testPair(network, bench().refs.missing);
    const refused: KernelObject[] = [
      { ...network.bridge, ns: missing },
      outer,
      { ...network.vxlan, name: 'vxlan1', type: network.vxlan.type },
      { kind: 'address', ns: network.ns, link: 'nope', address: interfaceAddress('10.0.1.1/24') },
      {
        kind: 'route',
        ns: network.ns,
        link: 'br0',
        destination: prefix('10.9.0.0/16'),
        via: address('10.8.0.1'),
        protocol: 'weft',
      },
      { kind: 'sysctl', ns: network.ns, name: 'net/ipv6/conf/nope/disable_ipv6', value: '1' },
    ];
    const results = await bench().kernel.apply(refused.map((object) => ({ op: 'set', object })));
    results.forEach((result, index) => {
      assert.ok(!result.ok, `${toText(refused[index] ?? network.lo)} is refused`);
    });
    assert.deepEqual(await dumpKeys(bench(), network.ns), keys(network.all));
  });

  it('deleting what is not there succeeds', async () => {
    const network = testNetwork(bench());
    await remove(bench(), network.vxlan, network.netns);
    await set(bench(), network.netns);
    await remove(bench(), network.vxlan, {
      kind: 'fdb',
      ns: network.ns,
      link: 'vxlan0',
      mac: macs[0],
      remote: peer,
    });
  });
}
