/** Part of the kernel port's contract: each kind of object is made, altered, replaced and deleted. */
import assert from 'node:assert/strict';
import { it } from 'mocha';
import { connectedRouteOf } from '../../core/dataplane/connected.ts';
import { needsReplacing } from '../../core/dataplane/equal.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import { sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { Address, FdbEntry, KernelObject, Link, Neighbour, Route } from '../../core/dataplane/object.ts';
import {
  address,
  type Bench,
  interfaceAddress,
  type KernelBench,
  macs,
  peer,
  prefix,
  testNetwork,
  testPair,
} from './kernel-bench.ts';
import { apply, assertIs, dump, find, remove, set } from './kernel-steps.ts';

export function describeLives(bench: Bench): void {
  it('netns', async () => {
    const { netns } = testNetwork(bench());
    await live(bench(), [], netns);
    assert.deepEqual(await bench().kernel.namespaces(), []);
  });

  it('link: loopback is there with its namespace, and can be set up', async () => {
    const { netns, lo } = testNetwork(bench());
    await set(bench(), netns);
    assert.equal((await find(bench(), lo))?.kind, 'link');
    await set(bench(), lo);
    await assertIs(bench(), lo);
  });

  it('link: bridge', async () => {
    const { netns, bridge } = testNetwork(bench());
    const altered: Link = {
      ...bridge,
      mtu: 1400,
      mac: '02:57:00:00:00:02' as Link['mac'] & string,
      up: false,
      owner: 'network:x',
    };
    await live(bench(), [netns], bridge, altered);
  });

  it('link: vxlan, in and out of a bridge, and with another VNI', async () => {
    const { netns, bridge, vxlan } = testNetwork(bench());
    const { master: _master, port: _port, ...unplugged } = vxlan;
    const other: Link = {
      ...vxlan,
      type: { type: 'vxlan', vni: bench().vni + 2, local: bench().local, port: 4789 },
    };
    await live(
      bench(),
      [netns, bridge],
      vxlan,
      { ...vxlan, port: { learning: true, flood: false } },
      unplugged,
      other,
    );
  });

  it('link: veth, from a namespace into a sandbox, and paired otherwise', async () => {
    const network = testNetwork(bench());
    const ref = await bench().addSandbox();
    const [outer, inner] = testPair(network, ref);
    const other: Link = { ...outer, type: { type: 'veth', peer: { ns: inner.ns, name: 'eth7' } } };
    await live(bench(), [...network.all], outer, { ...outer, mtu: 1300 }, other);
    await set(bench(), outer, inner);
    await assertIs(bench(), outer, inner);
    await set(bench(), { ...inner, mtu: 1350, mac: macs[1] });
    await assertIs(bench(), outer, { ...inner, mtu: 1350, mac: macs[1] });
  });

  for (const text of ['10.0.1.1/24', '10.0.1.1/32', 'fd00:1::1/64']) {
    it(`address: ${text}, with its connected route`, async () => {
      const { netns, bridge } = testNetwork(bench());
      const object: Address = {
        kind: 'address',
        ns: bridge.ns,
        link: 'br0',
        address: interfaceAddress(text),
      };
      await set(bench(), netns, bridge, object);
      const route = connectedRouteOf(object);
      if (route !== undefined) await assertIs(bench(), route);
      const routes = (await dump(bench(), bridge.ns)).filter(({ kind }) => kind === 'route');
      assert.equal(routes.length, route === undefined ? 0 : 1);
      await remove(bench(), object);
      if (route !== undefined) assert.equal(await find(bench(), route), undefined);
      await live(bench(), [], object);
    });
  }

  for (const [own, destination, via, otherVia] of [
    ['10.0.1.1/24', '10.0.2.0/24', '10.0.1.7', '10.0.1.8'],
    ['fd00:1::1/64', 'fd00:2::/64', 'fd00:1::7', 'fd00:1::8'],
  ] as const) {
    it(`route: connected for ${own}, and through a gateway`, async () => {
      const { netns, bridge } = testNetwork(bench());
      const on = { ns: bridge.ns, link: 'br0' };
      const object: Address = { kind: 'address', ...on, address: interfaceAddress(own) };
      const connected = connectedRouteOf(object);
      assert.ok(connected !== undefined);
      await live(bench(), [netns, bridge, object], connected);
      await set(bench(), connected);
      const route: Route = {
        kind: 'route',
        ...on,
        destination: prefix(destination),
        via: address(via),
        protocol: 'weft',
      };
      await live(bench(), [], route, { ...route, via: address(otherVia) });
    });
  }

  it('route: two links of a sandbox keep each its connected route of one prefix', async () => {
    const network = testNetwork(bench());
    const ref = await bench().addSandbox();
    await set(bench(), ...network.all);
    const objects: KernelObject[] = [];
    for (const digit of [1, 2]) {
      const pair = testPair(network, ref, digit);
      const own: Address = {
        kind: 'address',
        ns: pair[1].ns,
        link: pair[1].name,
        address: interfaceAddress(`10.0.1.${digit}/24`),
      };
      const connected = connectedRouteOf(own);
      assert.ok(connected !== undefined);
      objects.push(...pair, own, connected);
    }
    await set(bench(), ...objects);
    await set(bench(), ...objects);
    await assertIs(bench(), ...objects);
  });

  for (const text of ['10.0.1.2', 'fd00:1::2']) {
    it(`neighbour: ${text}`, async () => {
      const network = testNetwork(bench());
      const object: Neighbour = {
        kind: 'neighbour',
        ns: network.ns,
        link: 'vxlan0',
        address: address(text),
        mac: macs[0],
      };
      await live(bench(), [...network.all], object, { ...object, mac: macs[1] });
    });
  }

  it("fdb: an entry of the VXLAN link's own table", async () => {
    const network = testNetwork(bench());
    const object: FdbEntry = { kind: 'fdb', ns: network.ns, link: 'vxlan0', mac: macs[0], remote: peer };
    await live(bench(), [...network.all], object, { ...object, remote: address('192.0.2.201') });
  });

  it("fdb: an entry of the bridge's table, beside one of the link's own", async () => {
    const network = testNetwork(bench());
    const object: FdbEntry = { kind: 'fdb', ns: network.ns, link: 'vxlan0', mac: macs[0] };
    await live(bench(), [...network.all, { ...object, remote: peer }], object);
    await assertIs(bench(), { ...object, remote: peer });
  });

  it('sysctl: of the namespace and of a link; reported where asked for', async () => {
    const { ns, netns, bridge } = testNetwork(bench());
    const forward = 'net/ipv4/ip_forward';
    const disable = 'net/ipv6/conf/br0/disable_ipv6';
    await set(bench(), netns, bridge);
    for (const value of ['1', '0', '1']) {
      await set(
        bench(),
        { kind: 'sysctl', ns, name: forward, value },
        { kind: 'sysctl', ns, name: disable, value },
      );
      const found = await bench().kernel.dump(ns, {
        sysctls: [forward, disable],
        kinds: new Set(['sysctl'] as const),
      });
      assert.deepEqual(
        new Set(found),
        new Set([forward, disable].map((name) => ({ kind: 'sysctl', ns, name, value }))),
      );
    }
    assert.ok((await dump(bench(), ns)).every(({ kind }) => kind !== 'sysctl'));
  });

  it("hosts: weft's block, which outlives the sandbox", async () => {
    const ref = await bench().addSandbox();
    const ns = sandboxNamespace(ref);
    const object: KernelObject = {
      kind: 'hosts',
      ns,
      entries: [{ address: address('10.0.1.2'), names: ['web', 'web.red'] }],
    };
    const altered: KernelObject = {
      ...object,
      entries: [...object.entries, { address: address('fd00::2'), names: ['db'] }],
    };
    await live(bench(), [], object, altered);
    await set(bench(), object);
    assert.deepEqual(await bench().kernel.namespaces(), [ns]);
    await bench().removeSandbox(ref);
    assert.deepEqual(await dump(bench(), ns), [object]);
    await remove(bench(), object);
    assert.deepEqual(await bench().kernel.namespaces(), []);
  });

  it('a dump can be restricted to kinds, and is empty where there is no namespace', async () => {
    const network = testNetwork(bench());
    assert.deepEqual(await dump(bench(), network.ns), []);
    await set(bench(), ...network.all);
    const links = await bench().kernel.dump(network.ns, { kinds: new Set(['link'] as const) });
    assert.deepEqual(
      new Set(links.map(keyOf)),
      new Set([network.lo, network.bridge, network.vxlan].map(keyOf)),
    );
  });
}

/** Set, set again, altered step by step, deleted, deleted again; looked at after each. */
async function live(
  bench: KernelBench,
  base: readonly KernelObject[],
  object: KernelObject,
  ...others: KernelObject[]
): Promise<void> {
  await set(bench, ...base);
  let before = object;
  for (const state of [object, ...others, object]) {
    const op = needsReplacing(state, before) ? 'replace' : 'set';
    await apply(bench, [{ op, object: state, ...(op === 'replace' ? { actual: before } : {}) }]);
    await assertIs(bench, state);
    const dumped = await dump(bench, object.ns);
    await set(bench, state);
    assert.deepEqual(new Set(await dump(bench, object.ns)), new Set(dumped));
    before = state;
  }
  await remove(bench, object);
  assert.equal(await find(bench, object), undefined);
  await remove(bench, object);
}
