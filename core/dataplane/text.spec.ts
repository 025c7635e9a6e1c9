/** The forms that `diff.spec.ts` and the goldens of the drivers do not show. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type InterfaceAddress, type IpAddress, type Prefix } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import { hostNamespace, ownedNamespace, sandboxNamespace } from './namespace.ts';
import type { KernelObject } from './object.ts';
import { operationText, toDeletion, toText } from './text.ts';

const ns = ownedNamespace('weft-f5ce773b3f');
const mac = '02:42:0a:00:01:02' as Mac;

describe('toText', () => {
  it('names namespaces as ip takes them', () => {
    const sysctl = { kind: 'sysctl', name: 'net/ipv4/ip_forward', value: '1' } as const;
    const neighbour = { kind: 'neighbour', link: 'eth0', address: '10.0.1.3' as IpAddress, mac } as const;
    const texts = [hostNamespace, ns, sandboxNamespace('/run/x'), sandboxNamespace('pid:7')].map((place) => [
      toText({ ...neighbour, ns: place }),
      toText({ ...sysctl, ns: place }),
    ]);
    assert.deepEqual(texts.flat(), [
      'ip neigh replace 10.0.1.3 lladdr 02:42:0a:00:01:02 dev eth0 nud permanent',
      'sysctl -qw net/ipv4/ip_forward=1',
      'ip -n weft-f5ce773b3f neigh replace 10.0.1.3 lladdr 02:42:0a:00:01:02 dev eth0 nud permanent',
      'ip netns exec weft-f5ce773b3f sysctl -qw net/ipv4/ip_forward=1',
      'ip -n /run/x neigh replace 10.0.1.3 lladdr 02:42:0a:00:01:02 dev eth0 nud permanent',
      'nsenter --net=/run/x sysctl -qw net/ipv4/ip_forward=1',
      'ip -n /proc/7/ns/net neigh replace 10.0.1.3 lladdr 02:42:0a:00:01:02 dev eth0 nud permanent',
      'nsenter --net=/proc/7/ns/net sysctl -qw net/ipv4/ip_forward=1',
    ]);
  });

  it('is one word of a shell where a path has characters that a shell would obey', () => {
    const ns = sandboxNamespace("/run/x;reboot/it's");
    const link = { kind: 'link', ns, name: 'lo', owner: '', up: true, type: { type: 'loopback' } } as const;
    assert.equal(toText(link), "ip -n '/run/x;reboot/it'\\''s' link set dev lo up");
  });

  it('shows a hosts file as a comment', () => {
    const entries = [
      { address: '10.0.1.2' as IpAddress, names: ['web', 'web.overlayred'] },
      { address: '10.0.1.3' as IpAddress, names: ['db'] },
    ];
    const text = toText({ kind: 'hosts', ns: sandboxNamespace('red'), entries });
    assert.equal(text, '# /etc/netns/red/hosts: 10.0.1.2 web web.overlayred, 10.0.1.3 db');
  });
});

describe('toDeletion', () => {
  it('says how each kind is deleted', () => {
    const on = { ns, link: 'vxlan0' };
    const objects: KernelObject[] = [
      { kind: 'netns', ns },
      { kind: 'link', ns, name: 'br0', owner: 'x', up: true, type: { type: 'bridge' } },
      { kind: 'address', ...on, address: '10.0.1.1/24' as InterfaceAddress },
      {
        kind: 'route',
        ...on,
        destination: '10.0.2.0/24' as Prefix,
        via: '10.0.1.1' as IpAddress,
        protocol: 'weft',
      },
      { kind: 'neighbour', ...on, address: '10.0.1.3' as IpAddress, mac },
      { kind: 'fdb', ...on, mac, remote: '192.168.2.200' as IpAddress },
      { kind: 'fdb', ...on, mac },
    ];
    assert.deepEqual(objects.map(toDeletion), [
      'ip netns delete weft-f5ce773b3f',
      'ip -n weft-f5ce773b3f link delete dev br0',
      'ip -n weft-f5ce773b3f address delete 10.0.1.1/24 dev vxlan0',
      'ip -n weft-f5ce773b3f route delete 10.0.2.0/24 via 10.0.1.1 dev vxlan0 proto 87',
      'ip -n weft-f5ce773b3f neigh delete 10.0.1.3 dev vxlan0',
      'bridge -n weft-f5ce773b3f fdb delete 02:42:0a:00:01:02 dev vxlan0 self',
      'bridge -n weft-f5ce773b3f fdb delete 02:42:0a:00:01:02 dev vxlan0 master',
    ]);
  });

  it('comes first in the text of a replacement', () => {
    const object: KernelObject = {
      kind: 'link',
      ns,
      name: 'br0',
      owner: '',
      up: false,
      type: { type: 'bridge' },
    };
    assert.equal(
      operationText({ op: 'replace', object }),
      'ip -n weft-f5ce773b3f link delete dev br0 && ip -n weft-f5ce773b3f link add name br0 type bridge && ' +
        'ip -n weft-f5ce773b3f link set dev br0 down',
    );
  });
});
