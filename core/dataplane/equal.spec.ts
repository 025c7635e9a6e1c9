import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { IpAddress, Prefix } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import { equal, needsReplacing } from './equal.ts';
import { ownedNamespace, sandboxNamespace } from './namespace.ts';
import type { KernelObject, Link, Route } from './object.ts';

const ns = ownedNamespace('weft-f5ce773b3f');
const vxlan: Link = {
  kind: 'link',
  ns,
  name: 'vxlan0',
  owner: 'network:f5',
  up: true,
  mtu: 1450,
  master: 'br0',
  port: { learning: false, flood: true },
  type: { type: 'vxlan', vni: 256, local: '192.168.2.15' as IpAddress, port: 4789 },
};
const veth: Link = {
  kind: 'link',
  ns,
  name: 'veth1',
  owner: 'endpoint:1',
  up: true,
  type: { type: 'veth', peer: { ns: sandboxNamespace('red'), name: 'eth0' } },
};
const route: Route = {
  kind: 'route',
  ns,
  link: 'br0',
  destination: '10.0.1.0/24' as Prefix,
  source: '10.0.1.1' as IpAddress,
  protocol: 'kernel',
};

describe('equal', () => {
  it('leaves to the kernel what is not desired of it, and only on that side', () => {
    const withMac = { ...vxlan, mac: '02:42:0a:00:01:02' as Mac };
    assert.ok(equal(vxlan, withMac));
    assert.ok(!equal(withMac, vxlan));
  });

  it('sees every other difference of a link', () => {
    const { master: _master, port: _port, ...unplugged } = vxlan;
    const others: Link[] = [
      { ...vxlan, up: false },
      { ...vxlan, mtu: 1500 },
      { ...vxlan, owner: 'network:ab' },
      { ...vxlan, master: 'br1' },
      { ...vxlan, port: { learning: true, flood: true } },
      { ...vxlan, port: { learning: false, flood: false } },
      { ...vxlan, name: 'vxlan1' },
      unplugged,
    ];
    for (const other of others)
      assert.ok(!equal(vxlan, other) && !equal(other, vxlan), JSON.stringify(other));
  });

  it('compares the members of every other kind', () => {
    const mac = '02:42:0a:00:01:02' as Mac;
    const on = { ns, link: 'vxlan0' };
    const pairs: [KernelObject, KernelObject][] = [
      [route, { ...route, source: '10.0.1.9' as IpAddress }],
      [route, { ...route, protocol: 'weft' }],
      [route, { ...route, via: '10.0.1.7' as IpAddress }],
      [
        { kind: 'neighbour', ...on, address: '10.0.1.2' as IpAddress, mac },
        { kind: 'neighbour', ...on, address: '10.0.1.2' as IpAddress, mac: '02:42:0a:00:01:03' as Mac },
      ],
      [
        { kind: 'fdb', ...on, mac, remote: '192.168.2.15' as IpAddress },
        { kind: 'fdb', ...on, mac, remote: '192.168.2.200' as IpAddress },
      ],
      [
        { kind: 'sysctl', ns, name: 'net/ipv4/ip_forward', value: '1' },
        { kind: 'sysctl', ns, name: 'net/ipv4/ip_forward', value: '0' },
      ],
      [
        { kind: 'hosts', ns, entries: [{ address: '10.0.1.2' as IpAddress, names: ['a', 'b'] }] },
        { kind: 'hosts', ns, entries: [{ address: '10.0.1.2' as IpAddress, names: ['a'] }] },
      ],
    ];
    for (const [a, b] of pairs) {
      assert.ok(equal(a, structuredClone(a)));
      assert.ok(!equal(a, b) && !equal(b, a), JSON.stringify(b));
      assert.ok(!needsReplacing(a, b));
    }
  });
});

describe('needsReplacing', () => {
  it('is true for what the kernel cannot alter: type, VXLAN parameters, peer', () => {
    const { type } = vxlan;
    assert.ok(type.type === 'vxlan');
    const others: Link[] = [
      { ...vxlan, type: { type: 'bridge' } },
      { ...vxlan, type: { ...type, vni: 257 } },
      { ...vxlan, type: { ...type, local: '192.168.2.16' as IpAddress } },
      { ...vxlan, type: { ...type, port: 8472 } },
    ];
    for (const other of others) assert.ok(needsReplacing(vxlan, other) && !equal(vxlan, other));
    const elsewhere = { type: 'veth', peer: { ns: sandboxNamespace('blue'), name: 'eth0' } } as const;
    assert.ok(needsReplacing(veth, { ...veth, type: elsewhere }));
  });

  it('is false for what can be altered in place', () => {
    assert.ok(!needsReplacing(vxlan, { ...vxlan, up: false, mtu: 1500, owner: '' }));
  });
});
