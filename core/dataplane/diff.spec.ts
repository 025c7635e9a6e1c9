/** Cases by name; that it holds in general is shown on the fake kernel in `test/property/diff.spec.ts`. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type InterfaceAddress, type IpAddress, type Prefix } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import { diff } from './diff.ts';
import { ownedNamespace, sandboxNamespace } from './namespace.ts';
import type { FdbEntry, KernelObject, Link } from './object.ts';
import { compareForApply } from './order.ts';
import { operationText } from './text.ts';

const ns = ownedNamespace('weft-a');
const red = sandboxNamespace('red');
const mac = '02:42:0a:00:01:02' as Mac;
const local = '192.168.2.15' as IpAddress;

const netns: KernelObject = { kind: 'netns', ns };
const bridge: Link = {
  kind: 'link',
  ns,
  name: 'br0',
  owner: 'network:1',
  up: true,
  type: { type: 'bridge' },
};
const vxlan: Link = {
  ...bridge,
  name: 'vxlan0',
  master: 'br0',
  port: { learning: false, flood: true },
  type: { type: 'vxlan', vni: 256, local, port: 4789 },
};
const outside: Link = {
  ...bridge,
  name: 'veth1',
  master: 'br0',
  port: { learning: false, flood: false },
  type: { type: 'veth', peer: { ns: red, name: 'eth0' } },
};
const inside: Link = {
  ...bridge,
  ns: red,
  name: 'eth0',
  type: { type: 'veth', peer: { ns, name: 'veth1' } },
};
const local1: FdbEntry = { kind: 'fdb', ns, link: 'veth1', mac };
const remote1: FdbEntry = { kind: 'fdb', ns, link: 'vxlan0', mac: '02:42:0a:00:01:03' as Mac, remote: local };
const address: KernelObject = {
  kind: 'address',
  ns: red,
  link: 'eth0',
  address: '10.0.1.2/24' as InterfaceAddress,
};
const connected: KernelObject = {
  kind: 'route',
  ns: red,
  link: 'eth0',
  destination: '10.0.1.0/24' as Prefix,
  source: '10.0.1.2' as IpAddress,
  protocol: 'kernel',
};
const network = [netns, bridge, vxlan, remote1];
const endpoint = [outside, inside, local1, address, connected];

describe('diff', () => {
  it('makes a network and an endpoint in an order in which each step finds what it needs', () => {
    assert.deepEqual(diff([...endpoint, ...network], []).map(operationText), [
      'ip netns add weft-a',
      'ip -n weft-a link add name br0 type bridge && ip -n weft-a link set dev br0 alias weft:network:1 up',
      'ip link add name vxlan0 netns weft-a type vxlan id 256 local 192.168.2.15 dstport 4789 nolearning proxy df inherit' +
        ' && ip -n weft-a link set dev vxlan0 alias weft:network:1 master br0 up' +
        ' && bridge -n weft-a link set dev vxlan0 learning off flood on',
      'ip -n weft-a link add name veth1 type veth peer name eth0 netns red' +
        ' && ip -n weft-a link set dev veth1 alias weft:network:1 master br0 up' +
        ' && bridge -n weft-a link set dev veth1 learning off flood off',
      'ip -n red link set dev eth0 alias weft:network:1 up',
      'ip -n red address replace 10.0.1.2/24 dev eth0',
      'ip -n red route replace 10.0.1.0/24 dev eth0 proto kernel scope link src 10.0.1.2',
      'bridge -n weft-a fdb replace 02:42:0a:00:01:02 dev veth1 master static',
      'bridge -n weft-a fdb replace 02:42:0a:00:01:03 dev vxlan0 self permanent dst 192.168.2.15',
    ]);
  });

  it('is empty between equals', () => {
    assert.deepEqual(diff(network, [...network].reverse()), []);
  });

  it('deletes an endpoint by one end of its pair and nothing else', () => {
    assert.deepEqual(diff(network, [...network, ...endpoint]), [
      { op: 'delete', object: outside, actual: outside },
    ]);
  });

  it('deletes a network by its namespace', () => {
    assert.deepEqual(diff([], network), [{ op: 'delete', object: netns, actual: netns }]);
  });

  it('deletes strays before it sets anything', () => {
    const stray: FdbEntry = { ...remote1, mac: '02:42:0a:00:01:09' as Mac };
    const moved: FdbEntry = { ...remote1, remote: '192.168.2.200' as IpAddress };
    assert.deepEqual(diff([netns, bridge, vxlan, moved], [...network, stray]), [
      { op: 'delete', object: stray, actual: stray },
      { op: 'set', object: moved, actual: remote1 },
    ]);
  });

  it('sets again what was on a link that is replaced', () => {
    const other: Link = { ...vxlan, type: { type: 'vxlan', vni: 257, local, port: 4789 } };
    assert.deepEqual(diff(network, [netns, bridge, other, remote1]), [
      { op: 'replace', object: vxlan, actual: other },
      { op: 'set', object: remote1 },
    ]);
  });

  it('sets again the entries in the bridge of a port that was taken out of it', () => {
    const { master: _master, port: _port, ...unplugged } = outside;
    assert.deepEqual(
      diff([...network, ...endpoint], [...network, unplugged, inside, local1, address, connected]),
      [
        { op: 'set', object: outside, actual: unplugged },
        { op: 'set', object: local1 },
      ],
    );
  });

  it('makes a pair anew when one of its ends is not to be seen', () => {
    const operations = diff([outside, inside, address], [outside]);
    assert.deepEqual(operations, [
      { op: 'replace', object: outside, actual: outside },
      { op: 'set', object: inside },
      { op: 'set', object: address },
    ]);
    assert.deepEqual(diff([outside, inside, address], [inside, address]), [
      { op: 'delete', object: inside, actual: inside },
      { op: 'set', object: outside },
      { op: 'set', object: inside },
      { op: 'set', object: address },
    ]);
  });

  it('frees a name that the end of a pair has which is not to be seen, before it makes another link of it', () => {
    const there = { ...inside, type: { type: 'veth', peer: { ns: red, name: 'w2' } } } satisfies Link;
    const wanted: Link[] = [
      { ...bridge, ns: red, name: 'w2' },
      { ...inside, type: vxlan.type },
    ];
    assert.deepEqual(
      diff(wanted, [there]).map(({ op, object }) => `${op} ${(object as Link).name}`),
      ['delete eth0', 'set w2', 'set eth0'],
    );
  });

  it('takes two pairs apart that are to be paired crosswise', () => {
    const end = (name: string, peer: string): Link => ({
      ...bridge,
      name,
      type: { type: 'veth', peer: { ns, name: peer } },
    });
    const wanted = [end('a', 'c'), end('c', 'a'), end('b', 'd'), end('d', 'b')];
    const there = [end('a', 'b'), end('b', 'a'), end('c', 'd'), end('d', 'c')];
    assert.deepEqual(
      diff(wanted, there).map(({ op, object }) => `${op} ${(object as Link).name}`),
      ['delete c', 'replace a', 'set b', 'set c', 'set d'],
    );
  });

  it('leaves loopback, and sysctls that nobody desires, as they are', () => {
    const lo: Link = { kind: 'link', ns: red, name: 'lo', owner: '', up: true, type: { type: 'loopback' } };
    assert.deepEqual(
      diff([], [lo, { kind: 'sysctl', ns: red, name: 'net/ipv4/ip_forward', value: '1' }]),
      [],
    );
  });
});

describe('compareForApply', () => {
  it('puts the settings that links inherit before links, and those of a link behind it', () => {
    const inherited: KernelObject = {
      kind: 'sysctl',
      ns,
      name: 'net/ipv6/conf/default/disable_ipv6',
      value: '1',
    };
    const own: KernelObject = { kind: 'sysctl', ns, name: 'net/ipv6/conf/br0/disable_ipv6', value: '0' };
    const expected = [netns, inherited, bridge, vxlan, outside, inside, own, address, connected];
    assert.deepEqual([...expected].reverse().sort(compareForApply), expected);
  });

  it('puts a route through a gateway behind the one that reaches the gateway', () => {
    const via: KernelObject = {
      ...connected,
      destination: '10.0.0.0/24' as Prefix,
      via: '10.0.1.1' as IpAddress,
      protocol: 'weft',
    };
    assert.deepEqual([via, connected].sort(compareForApply), [connected, via]);
  });
});
