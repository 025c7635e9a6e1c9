/**
 * The contract of the kernel port, for the fake and the real one alike. Every object kind goes through its life; then
 * come the kernel's own doings (cascades), what others do, notifications, failures, and sandboxes.
 *
 * An event is taken as heard when it names the object, or when a `stale` covers it: a real kernel does not say
 * everything.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { connectedRouteOf } from '../../core/dataplane/connected.ts';
import { equal, needsReplacing } from '../../core/dataplane/equal.ts';
import type { KernelEvent, Operation } from '../../core/dataplane/kernel.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import { type Namespace, sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { Address, FdbEntry, KernelObject, Link, Neighbour, Route } from '../../core/dataplane/object.ts';
import { toText } from '../../core/dataplane/text.ts';
import { isWeftError } from '../../core/errors.ts';
import {
  address,
  interfaceAddress,
  type KernelBench,
  type KernelHarness,
  macs,
  peer,
  prefix,
  testNetwork,
  testPair,
} from './kernel-bench.ts';

export function describeKernel(name: string, harness: KernelHarness): void {
  describe(`kernel: ${name}`, () => {
    let bench: KernelBench | undefined;
    const opened = (): KernelBench => {
      assert.ok(bench !== undefined, 'the bench is open');
      return bench;
    };
    beforeEach(async function () {
      bench = await harness.open(this);
    });
    afterEach(async () => {
      await bench?.close();
      bench = undefined;
    });
    describe('the life of an object', () => describeLives(opened));
    describe('what goes by itself', () => describeCascades(opened));
    describe('what others made', () => describeOthers(opened));
    describe('failures', () => describeFailures(opened));
    describe('watch', () => describeWatch(opened));
    describe('sandboxes and the underlay', () => describeSandboxes(opened));
  });
}

type Bench = () => KernelBench;

function describeLives(bench: Bench): void {
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

function describeCascades(bench: Bench): void {
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

function describeOthers(bench: Bench): void {
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

function describeFailures(bench: Bench): void {
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

function describeWatch(bench: Bench): void {
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

function describeSandboxes(bench: Bench): void {
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
      [refs.host, 'host-sandbox'],
      [refs.noNamespace, 'bad-sandbox'],
      ['../etc', 'bad-sandbox'],
    ] as const) {
      await assert.rejects(kernel.inspectSandbox(ref), (error) => isWeftError(error, code), ref);
    }
  });

  it('the underlay link is found by its address', async () => {
    const { kernel, local, underlayMtu } = bench();
    assert.equal((await kernel.underlay(local)).mtu, underlayMtu);
    await assert.rejects(kernel.underlay(address('203.0.113.77')), (error) =>
      isWeftError(error, 'bad-configuration'),
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

async function set(bench: KernelBench, ...objects: readonly KernelObject[]): Promise<void> {
  await apply(
    bench,
    objects.map((object) => ({ op: 'set', object })),
  );
}

async function remove(bench: KernelBench, ...objects: readonly KernelObject[]): Promise<void> {
  await apply(
    bench,
    objects.map((object) => ({ op: 'delete', object })),
  );
}

async function apply(bench: KernelBench, operations: readonly Operation[]): Promise<void> {
  const results = await bench.kernel.apply(operations);
  assert.equal(results.length, operations.length);
  results.forEach((result, index) => {
    const operation = operations[index];
    assert.ok(
      result.ok,
      `${operation?.op} ${operation === undefined ? '' : toText(operation.object)}: ${JSON.stringify(result)}`,
    );
  });
}

function dump(bench: KernelBench, ns: Namespace): Promise<readonly KernelObject[]> {
  return bench.kernel.dump(ns);
}

async function dumpKeys(bench: KernelBench, ns: Namespace): Promise<string[]> {
  return keys(await dump(bench, ns));
}

function keys(objects: readonly KernelObject[]): string[] {
  return objects.map(keyOf).sort();
}

async function find(bench: KernelBench, object: KernelObject): Promise<KernelObject | undefined> {
  return (await dump(bench, object.ns)).find((other) => keyOf(other) === keyOf(object));
}

async function assertIs(bench: KernelBench, ...objects: readonly KernelObject[]): Promise<void> {
  for (const object of objects) {
    const found = await find(bench, object);
    assert.ok(
      found !== undefined && equal(object, found),
      `${JSON.stringify(found)} is ${JSON.stringify(object)}`,
    );
  }
}

/** For what the kernel does in its own time, such as taking a namespace apart. The test's time limit bounds it. */
async function eventually(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

interface Ears {
  readonly heard: readonly KernelEvent[];
  /** Waits for an event that says so, or that asks to look anew. Takes events that came before as well. */
  hear(type: 'present' | 'absent', object: KernelObject): Promise<void>;
  until(says: (event: KernelEvent) => boolean): Promise<void>;
  close(): Promise<void>;
}

async function listen(bench: KernelBench, namespaces: readonly Namespace[]): Promise<Ears> {
  const controller = new AbortController();
  const heard: KernelEvent[] = [];
  let wake: () => void = () => undefined;
  let ended = false;
  const pump = (async () => {
    for await (const event of bench.kernel.watch(controller.signal)) {
      heard.push(event);
      wake();
    }
    ended = true;
    wake();
  })();
  await bench.kernel.follow(new Set(namespaces));
  const until = async (says: (event: KernelEvent) => boolean): Promise<void> => {
    while (!heard.some(says)) {
      assert.ok(!ended, 'the watch goes on');
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    heard,
    until,
    hear: (type, object) => until((event) => tells(event, type, object)),
    close: async () => {
      controller.abort();
      await pump;
    },
  };
}

function tells(event: KernelEvent, type: 'present' | 'absent', object: KernelObject): boolean {
  if (event.type === 'stale') return event.ns === object.ns && (event.kinds?.has(object.kind) ?? true);
  if (event.type !== type || keyOf(event.object) !== keyOf(object)) return false;
  return type === 'absent' || equal(object, event.object);
}

function namespaceOf(event: KernelEvent): Namespace {
  return event.type === 'present' || event.type === 'absent' ? event.object.ns : event.ns;
}
