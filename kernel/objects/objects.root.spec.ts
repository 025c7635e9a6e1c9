/**
 * What the real kernel holds, in the words of `ip` and `bridge`: independent of weft's own reading of it. The contract
 * of the port says the rest.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Operation } from '../../core/dataplane/kernel.ts';
import type { FdbEntry, KernelObject, Link } from '../../core/dataplane/object.ts';
import type { IpAddress } from '../../core/model/address.ts';
import { type Mac, macFromBytes } from '../../core/model/mac.ts';
import {
  address,
  interfaceAddress,
  macs,
  peer,
  prefix,
  testNetwork,
  testPair,
} from '../../test/contract/kernel-bench.ts';
import { command, type LinuxBench, nameOf, openLinuxBench } from '../../test/support/linux-bench.ts';

describe('LinuxKernel, as ip and bridge see it', () => {
  let bench: LinuxBench;
  beforeEach(async function () {
    bench = await openLinuxBench(this);
  });
  afterEach(async () => {
    await bench?.close();
  });

  async function set(...objects: readonly KernelObject[]): Promise<void> {
    await applied(objects.map((object) => ({ op: 'set', object })));
  }
  async function applied(operations: readonly Operation[]): Promise<void> {
    const results = await bench.kernel.apply(operations);
    assert.deepEqual(
      results.filter((result) => !result.ok),
      [],
    );
  }
  const ip = async (ns: string, ...words: string[]): Promise<Json[]> =>
    parse(await command(['ip', '-n', ns, '-d', '-j', ...words]));
  const bridge = async (ns: string, ...words: string[]): Promise<Json[]> =>
    parse(await command(['bridge', '-n', ns, '-d', '-j', ...words]));

  it('bridge, vxlan and veth have the settings that make them weft’s', async () => {
    const network = testNetwork(bench);
    const ref = await bench.addSandbox();
    const [outer, inner] = testPair(network, ref);
    await set(...network.all, outer, inner);
    const name = nameOf(network.ns);
    const links = new Map((await ip(name, 'link', 'show')).map((link) => [link['ifname'], link]));
    const detail = (link: string, ...path: string[]): unknown =>
      path.reduce<unknown>((value, key) => (value as Json)[key], links.get(link));
    assert.equal(detail('br0', 'ifalias'), 'weft:network:a');
    assert.equal(detail('br0', 'linkinfo', 'info_data', 'stp_state'), 0);
    assert.equal(detail('br0', 'linkinfo', 'info_data', 'mcast_snooping'), 0);
    assert.equal(detail('br0', 'operstate') === 'DOWN', false);
    const vxlan = detail('vxlan0', 'linkinfo', 'info_data') as Json;
    const { id, local, port, learning, proxy, df } = vxlan;
    assert.deepEqual(
      { id, local, port, learning, proxy, df },
      { id: bench.vni, local: bench.local, port: 4789, learning: false, proxy: true, df: 'inherit' },
    );
    assert.equal(detail('vxlan0', 'master'), 'br0');
    assert.equal(detail('vxlan0', 'linkinfo', 'info_slave_data', 'learning'), false);
    assert.equal(detail('vxlan0', 'linkinfo', 'info_slave_data', 'flood'), true);
    assert.equal(detail('veth1', 'linkinfo', 'info_slave_data', 'flood'), false);
    assert.equal(detail('veth1', 'operstate'), 'UP');
    const [eth] = await ip(ref, 'link', 'show', 'dev', inner.name);
    assert.equal(eth?.['address'], inner.mac);
    assert.equal(eth?.['mtu'], 1450);
    assert.equal(eth?.['ifalias'], 'weft:endpoint:1');
  });

  it('the UDP socket of a vxlan stays in the namespace of the daemon', async () => {
    const network = testNetwork(bench);
    await set(...network.all);
    const sockets = await command(['ip', '-d', '-j', 'link', 'show', 'type', 'vxlan']);
    assert.ok(!sockets.includes(String(bench.vni)), 'the link itself is not here');
    const [link] = await ip(nameOf(network.ns), 'link', 'show', 'dev', 'vxlan0');
    assert.ok(link?.['link_netnsid'] !== undefined, 'but it is tied to another namespace');
  });

  it('addresses, neighbours and routes carry weft’s number', async () => {
    const network = testNetwork(bench);
    const on = { ns: network.ns, link: 'br0' };
    await set(
      ...network.all,
      { kind: 'address', ...on, address: interfaceAddress('10.0.1.1/24') },
      { kind: 'address', ...on, address: interfaceAddress('fd00:1::1/64') },
      {
        kind: 'route',
        ...on,
        destination: prefix('10.0.2.0/24'),
        via: address('10.0.1.7'),
        protocol: 'weft',
      },
      { kind: 'neighbour', ns: network.ns, link: 'vxlan0', address: address('10.0.1.2'), mac: macs[0] },
    );
    const name = nameOf(network.ns);
    const [link] = await ip(name, 'address', 'show', 'dev', 'br0');
    const found = (link?.['addr_info'] as Json[]).filter((one) => one['scope'] === 'global');
    assert.deepEqual(
      // That of addresses is not shown by iproute2 6.1; the contract's sandboxes depend on it.
      found.map((one) => [one['local'], one['prefixlen'], one['nodad'] ?? false]),
      [
        ['10.0.1.1', 24, false],
        ['fd00:1::1', 64, true],
      ],
    );
    const [route] = await ip(name, 'route', 'show', 'proto', '87');
    assert.deepEqual([route?.['dst'], route?.['gateway']], ['10.0.2.0/24', '10.0.1.7']);
    const [one] = await ip(name, 'neigh', 'show', 'dev', 'vxlan0');
    assert.deepEqual([one?.['dst'], one?.['lladdr'], one?.['state']], ['10.0.1.2', macs[0], ['PERMANENT']]);
  });

  it('forwarding entries replace learned ones; strays of every sort are seen and deleted', async () => {
    const network = testNetwork(bench);
    const on = { kind: 'fdb', ns: network.ns, link: 'vxlan0' } as const;
    await set(...network.all);
    const name = nameOf(network.ns);
    const fdb = ['bridge', '-n', name, 'fdb'];
    const zero = '00:00:00:00:00:00' as Mac;
    await command([...fdb, 'add', macs[0], 'dev', 'vxlan0', 'dst', '192.0.2.9', 'self', 'dynamic']);
    await command([...fdb, 'add', macs[1], 'dev', 'vxlan0', 'dst', peer, 'port', '4790', 'self']);
    await command([...fdb, 'append', zero, 'dev', 'vxlan0', 'dst', '192.0.2.7', 'self']);
    await command([...fdb, 'append', zero, 'dev', 'vxlan0', 'dst', '192.0.2.8', 'self']);
    const dumped = (await bench.kernel.dump(network.ns, { kinds: new Set(['fdb']) })) as FdbEntry[];
    // Neither a learned entry nor one with a port of its own may look like a desired one.
    assert.deepEqual(
      dumped.map(({ mac, remote }) => [mac, remote]).sort(),
      [
        [macs[0], '0.0.0.0'],
        [macs[1], '0.0.0.0'],
        [zero, '192.0.2.7'],
        [zero, '192.0.2.8'],
      ].sort(),
    );
    await applied([
      { op: 'set', object: { ...on, mac: macs[0], remote: peer } },
      { op: 'set', object: { ...on, mac: macs[1], remote: peer } },
      { op: 'delete', object: { ...on, mac: zero, remote: address('192.0.2.7') } },
    ]);
    const own = (await bridge(name, 'fdb', 'show', 'dev', 'vxlan0')).filter(
      (one) => one['dst'] !== undefined,
    );
    assert.deepEqual(
      own.map((one) => [one['mac'], one['dst'], one['state'], one['port']]).sort(),
      macs.map((mac) => [mac, peer, 'permanent', undefined]),
    );
  });

  it('a vxlan that someone told to learn is not taken for a desired one', async () => {
    const network = testNetwork(bench);
    await set(...network.all);
    await command([
      ...['ip', '-n', nameOf(network.ns), 'link', 'set', 'dev', 'vxlan0', 'type', 'vxlan'],
      ...['id', String(bench.vni), 'learning'],
    ]);
    const dumped = await bench.kernel.dump(network.ns, { kinds: new Set(['link']) });
    const vxlan = dumped.find((link) => link.kind === 'link' && link.name === 'vxlan0') as Link;
    assert.equal(vxlan.type.type === 'vxlan' && vxlan.type.port, 0);
    await applied([{ op: 'replace', object: network.vxlan }]);
    const [link] = await ip(nameOf(network.ns), 'link', 'show', 'dev', 'vxlan0');
    assert.equal(((link?.['linkinfo'] as Json)['info_data'] as Json)['learning'], false);
  });

  it('leaves what others made byte for byte, while everything of weft’s comes and goes', async () => {
    const network = testNetwork(bench);
    const ref = await bench.addSandbox();
    const [outer, inner] = testPair(network, ref);
    await set(...network.all);
    for (const words of [
      ['link', 'add', 'user0', 'type', 'veth', 'peer', 'name', 'user1'],
      ['link', 'set', 'user1', 'up'],
      ['address', 'add', '10.77.0.1/24', 'dev', 'user0'],
      ['link', 'set', 'user0', 'up'],
      ['route', 'add', '10.78.0.0/24', 'via', '10.77.0.9', 'proto', 'static'],
      ['neigh', 'add', '10.77.0.9', 'lladdr', '02:00:00:00:00:09', 'dev', 'user0', 'nud', 'permanent'],
    ]) {
      await command(['ip', '-n', ref, ...words]);
    }
    // IPv6 link-local addresses ripen in their own time.
    const settled = (text: string): string => text.replaceAll(/ +inet6 fe80[^\n]*\n[^\n]*\n/g, '');
    const shown = async (): Promise<string[]> =>
      Promise.all(
        ['link', 'address', 'neigh']
          .map((kind) => command(['ip', '-n', ref, '-d', kind, 'show', 'dev', 'user0']))
          .concat([command(['ip', '-n', ref, '-d', 'route', 'show', 'dev', 'user0'])]),
      );
    const foreign = async (): Promise<string[]> => (await shown()).map(settled);
    const before = await foreign();
    const ours: KernelObject[] = [
      outer,
      inner,
      { kind: 'address', ns: inner.ns, link: inner.name, address: interfaceAddress('10.0.1.2/24') },
    ];
    await set(...ours);
    await applied([...ours].reverse().map((object) => ({ op: 'delete', object })));
    await set(...ours);
    await applied([{ op: 'delete', object: network.netns }]);
    assert.deepEqual(await foreign(), before);
  });

  it('a link name, an alias or a mate that is someone else’s is refused, not taken', async () => {
    const network = testNetwork(bench);
    const ref = await bench.addSandbox();
    const [outer, inner] = testPair(network, ref);
    await set(...network.all);
    await command(['ip', '-n', ref, 'link', 'add', inner.name, 'type', 'bridge']);
    for (const link of [outer, inner]) {
      const [result] = await bench.kernel.apply([{ op: 'set', object: link }]);
      assert.ok(
        result?.ok === false && result.reason.startsWith('EEXIST: File exists'),
        JSON.stringify(result),
      );
    }
    const onForeign: KernelObject = {
      kind: 'address',
      ns: inner.ns,
      link: inner.name,
      address: interfaceAddress('10.0.1.2/24'),
    };
    const [result] = await bench.kernel.apply([{ op: 'set', object: onForeign }]);
    assert.ok(result?.ok === false && result.reason.startsWith('EPERM'), JSON.stringify(result));
  });

  it('another daemon’s interface in the same sandbox is not ours', async () => {
    const network = testNetwork(bench);
    const ref = await bench.addSandbox();
    const pair = testPair(network, ref);
    await set(...network.all, ...pair);
    const other = await openLinuxBench({} as Mocha.Context);
    try {
      const links = await other.kernel.dump(pair[1].ns, { kinds: new Set(['link']) });
      assert.deepEqual(
        links.map((link) => link.kind === 'link' && link.name),
        ['lo'],
      );
      await other.kernel.apply([{ op: 'delete', object: { ...pair[1], owner: 'endpoint:theirs' } }]);
      assert.ok(await bench.hasLink(pair[1].ns, pair[1].name));
    } finally {
      await other.close();
    }
  });

  it('sandboxes by path are found again after a restart', async () => {
    const network = testNetwork(bench);
    const ref = await bench.addSandbox();
    const [outer, inner] = testPair(network, `/run/netns/${ref}`);
    await set(...network.all, outer, inner);
    const again = bench.restart();
    const found = (await again.dump(network.ns)).find(
      (object) => object.kind === 'link' && object.name === outer.name,
    ) as Link;
    assert.deepEqual(found.type, outer.type);
    assert.deepEqual(found.owner, outer.owner);
    const [link] = await ip(nameOf(network.ns), 'link', 'show', 'dev', outer.name);
    assert.equal(link?.['ifalias'], `weft:endpoint:1 sandbox:/run/netns/${ref}`);
  });

  it('a namespace that was removed and made anew by hand is not mixed up with its former self', async () => {
    const network = testNetwork(bench);
    await set(...network.all);
    await command(['ip', 'netns', 'delete', nameOf(network.ns)]);
    assert.deepEqual(await bench.kernel.dump(network.ns), []);
    await command(['ip', 'netns', 'add', nameOf(network.ns)]);
    const kinds = (await bench.kernel.dump(network.ns)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ['netns', 'link']);
    // The kernel takes the former one apart in its own time, and its VNI is taken until then.
    while (
      (
        await bench.kernel.apply([
          { op: 'set', object: network.bridge },
          { op: 'set', object: network.vxlan },
        ])
      ).some(({ ok }) => !ok)
    ) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.ok(await bench.hasLink(network.ns, 'vxlan0'));
  });

  it('takes 10,000 forwarding entries, one bad in the middle, and tells them all', async () => {
    const network = testNetwork(bench);
    await set(...network.all);
    const entries = Array.from({ length: 10_000 }, (_, at): FdbEntry => {
      const mac = macFromBytes([0x02, 0x42, 0, 0, at >> 8, at & 0xff]);
      const remote = `192.0.2.${1 + (at % 200)}` as IpAddress;
      return { kind: 'fdb', ns: network.ns, link: 'vxlan0', mac, remote };
    });
    const bad: FdbEntry = { ...(entries[0] as FdbEntry), mac: macs[0], remote: address('fd00::1') };
    const operations = [...entries.slice(0, 5000), bad, ...entries.slice(5000)].map(
      (object): Operation => ({ op: 'set', object }),
    );
    const results = await bench.kernel.apply(operations);
    assert.deepEqual(
      results.flatMap((result, at) => (result.ok ? [] : [at])),
      [5000],
    );
    const expected = new Set(entries.map(({ mac, remote }) => `${mac} ${remote}`));
    const dumped = (await bench.kernel.dump(network.ns, { kinds: new Set(['fdb']) })) as FdbEntry[];
    assert.deepEqual(new Set(dumped.map(({ mac, remote }) => `${mac} ${remote}`)), expected);
    const told = (await bridge(nameOf(network.ns), 'fdb', 'show', 'dev', 'vxlan0')).filter(
      (one) => one['dst'] !== undefined,
    );
    assert.deepEqual(new Set(told.map((one) => [one['mac'], one['dst']].join(' '))), expected);
    await applied(entries.map((object) => ({ op: 'delete', object })));
    assert.deepEqual(await bench.kernel.dump(network.ns, { kinds: new Set(['fdb']) }), []);
  });
});

type Json = { readonly [key: string]: unknown };

/** `ip -j` prints nothing at all for an empty answer. */
function parse(text: string): Json[] {
  return text.trim() === '' ? [] : (JSON.parse(text) as Json[]);
}
