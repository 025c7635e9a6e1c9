import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  accepted,
  endpointOf,
  Ledger,
  type NetworkWishes,
  networkOf,
  refused,
  subnet,
} from '../../test/support/ledger.ts';
import type { ErrorCode } from '../errors.ts';
import { networkIdOf } from '../model/ids.ts';
import { mtuOption, vniOption } from './driver-traits.ts';
import { initialState, predefinedNetworks } from './predefined.ts';

/** Those of the network `bridge`. */
/** With one host, which brings a gateway subnet: a pool among those of bridges, and one of its own. */
const otherPools = initialState().pools.size + 2;

/** The prefixes and gateways of a network, as a user reads them. */
function layout(wishes: NetworkWishes, ledger = new Ledger('h1')): string[] {
  const network = networkOf(ledger.network('h1', 'red', wishes));
  ledger.check();
  return network.subnets.map((each) => `${each.prefix} via ${each.gateway}`);
}

describe('a network that is made', () => {
  it('is what was asked for, with what weft chose', () => {
    const ledger = new Ledger('h1');
    const { outcome, changes } = accepted(
      ledger.network(
        'h1',
        'Red',
        {
          internal: true,
          labels: [
            ['b', '2'],
            ['a', '1'],
          ],
          options: [[mtuOption, '1400']],
        },
        { by: 'uid:1000', at: 99 },
      ),
    );
    assert.ok(outcome.accepted && outcome.record !== undefined);
    const id = networkIdOf(outcome.record);
    const stamp = { ordinal: 2, host: 'h1', by: 'uid:1000', at: 99 };
    const network = {
      id,
      name: 'Red',
      driver: 'overlay',
      vni: 256,
      subnets: [{ prefix: '10.0.0.0/24', gateway: '10.0.0.1', aux: [] }],
      ipv6: false,
      space: 'default',
      internal: true,
      options: { [mtuOption]: '1400' },
      labels: { a: '1', b: '2' },
      created: stamp,
      changed: stamp,
    };
    assert.deepEqual(changes, [{ type: 'network-added', network }]);
    assert.deepEqual(Object.keys(ledger.networkNamed('red').labels), ['a', 'b']);
    assert.deepEqual(outcome.subject, { type: 'network', id });
    ledger.check();
  });

  it('keeps labels that look like members of objects', () => {
    const labels: [string, string][] = [
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['10', 'z'],
    ];
    const network = networkOf(new Ledger('h1').network('h1', 'red', { labels }));
    assert.deepEqual(new Set(Object.entries(network.labels).map(String)), new Set(labels.map(String)));
  });

  for (const [what, wishes, expected] of [
    ['no subnet', {}, ['10.0.0.0/24 via 10.0.0.1']],
    ['a subnet', { subnets: [subnet('10.0.1.0/24')] }, ['10.0.1.0/24 via 10.0.1.1']],
    [
      'a gateway',
      { subnets: [subnet('10.0.1.0/24', { gateway: '10.0.1.254' })] },
      ['10.0.1.0/24 via 10.0.1.254'],
    ],
    ['a range', { subnets: [subnet('10.0.0.0/16', { range: '10.0.5.0/24' })] }, ['10.0.0.0/16 via 10.0.5.0']],
    [
      'its first addresses reserved',
      {
        subnets: [
          subnet('10.0.1.0/24', {
            aux: [
              ['router', '10.0.1.1'],
              ['dns', '10.0.1.2'],
            ],
          }),
        ],
      },
      ['10.0.1.0/24 via 10.0.1.3'],
    ],
    ['two addresses', { subnets: [subnet('10.0.1.0/31')] }, ['10.0.1.0/31 via 10.0.1.0']],
    [
      'several subnets',
      { subnets: [subnet('10.0.2.0/24'), subnet('10.0.1.0/24')] },
      ['10.0.2.0/24 via 10.0.2.1', '10.0.1.0/24 via 10.0.1.1'],
    ],
    [
      'an IPv6 subnet before an IPv4 one',
      { subnets: [subnet('fd00:1::/64'), subnet('10.0.1.0/24')] },
      ['10.0.1.0/24 via 10.0.1.1', 'fd00:1::/64 via fd00:1::1'],
    ],
    [
      'an IPv6 subnet alone',
      { subnets: [subnet('2001:DB8::/64')] },
      ['10.0.0.0/24 via 10.0.0.1', '2001:db8::/64 via 2001:db8::1'],
    ],
  ] as const) {
    it(`with ${what} has ${expected.join(', ')}`, () =>
      assert.deepEqual(layout(wishes as unknown as NetworkWishes), expected));
  }

  it('with IPv6 and no such subnet has a unique local one of its own', () => {
    const ledger = new Ledger('h1');
    const network = networkOf(ledger.network('h1', 'red', { ipv6: true }));
    assert.match(network.subnets[1]?.prefix ?? '', /^fd[0-9a-f:]+::\/64$/);
    assert.ok(network.ipv6);
    const second = networkOf(ledger.network('h1', 'blue', { ipv6: true, subnets: [subnet('10.9.0.0/24')] }));
    assert.equal(second.subnets.length, 2);
    assert.notEqual(second.subnets[1]?.prefix, network.subnets[1]?.prefix);
    ledger.check();
  });
});

describe('a network that is refused', () => {
  const cases: readonly [string, NetworkWishes, ErrorCode, RegExp][] = [
    ['a name that is none', { name: 'r d' }, 'bad-name', /letters, digits/],
    ['no name', { name: '' }, 'bad-name', /letters/],
    ['a predefined name', { name: 'Bridge' }, 'name-reserved', /predefined/],
    ['another', { name: 'none' }, 'name-reserved', /predefined/],
    ['an address space that is no name', { space: 'my space' }, 'bad-name', /address space/],
    [
      'an unknown driver',
      { driver: 'vxlan' },
      'unknown-driver',
      /'vxlan'; choose one of bridge, ipvlan, macvlan, overlay/,
    ],
    [
      'an option that nobody knows',
      { options: [['com.docker.network.mtu', '1400']] },
      'unknown-option',
      /did you mean com.docker.network.driver.mtu\?/,
    ],
    [
      'an option twice',
      {
        options: [
          [mtuOption, '1400'],
          [mtuOption, '1400'],
        ],
      },
      'bad-option',
      /twice/,
    ],
    [
      'an isolated network that is not internal',
      { driver: 'bridge', options: [['com.docker.network.bridge.gateway_mode_ipv6', 'isolated']] },
      'bad-option',
      /gateway_mode_ipv6 is 'isolated', which only internal networks can be; write --internal too/,
    ],
    ['an MTU too small', { options: [[mtuOption, '67']] }, 'bad-option', /from 68 to 65535/],
    ['an MTU too large', { options: [[mtuOption, '65536']] }, 'bad-option', /65535/],
    ['an MTU that is no number', { options: [[mtuOption, '0x5dc']] }, 'bad-option', /'0x5dc'/],
    ['an MTU too small for its IPv6', { ipv6: true, options: [[mtuOption, '1279']] }, 'bad-option', /1280/],
    ['several VNIs', { options: [[vniOption, '300,301']] }, 'bad-option', /one VNI/],
    ['VNI 0', { options: [[vniOption, '0']] }, 'bad-option', /from 1 to 16777215/],
    ['a VNI of 25 bits', { options: [[vniOption, '16777216']] }, 'bad-option', /16777215/],
    ['a label without a key', { labels: [['', 'x']] }, 'bad-label', /KEY=VALUE/],
    [
      'a label twice',
      {
        labels: [
          ['a', '1'],
          ['a', '2'],
        ],
      },
      'bad-label',
      /twice/,
    ],
    [
      'a subnet that is no prefix',
      { subnets: [subnet('10.0.1.0')] },
      'bad-subnet',
      /'10.0.1.0' is no CIDR prefix/,
    ],
    ['a prefix too long', { subnets: [subnet('10.0.1.0/33')] }, 'bad-subnet', /CIDR/],
    [
      'bits in the host part',
      { subnets: [subnet('10.0.1.7/24')] },
      'bad-subnet',
      /did you mean 10.0.1.0\/24\?/,
    ],
    [
      'IPv6 bits in the host part',
      { subnets: [subnet('fd00::1/64')] },
      'bad-subnet',
      /did you mean fd00::\/64\?/,
    ],
    ['a multicast subnet', { subnets: [subnet('224.0.0.0/24')] }, 'bad-subnet', /multicast/],
    ['a subnet without room', { subnets: [subnet('10.0.1.1/32')] }, 'bad-subnet', /\/31/],
    [
      'a subnet twice',
      { subnets: [subnet('10.0.1.0/24'), subnet('10.0.1.0/24')] },
      'bad-subnet',
      /10.0.1.0\/24 and 10.0.1.0\/24 overlap/,
    ],
    [
      'subnets that overlap',
      { subnets: [subnet('10.0.0.0/16'), subnet('10.0.1.0/24')] },
      'bad-subnet',
      /overlap/,
    ],
    [
      'a gateway that is no address',
      { subnets: [subnet('10.0.1.0/24', { gateway: 'router' })] },
      'bad-gateway',
      /'router'/,
    ],
    [
      'a gateway outside',
      { subnets: [subnet('10.0.1.0/24', { gateway: '10.0.2.1' })] },
      'bad-gateway',
      /outside its subnet 10.0.1.0\/24/,
    ],
    [
      'a gateway of the other family',
      { subnets: [subnet('10.0.1.0/24', { gateway: 'fd00::1' })] },
      'bad-gateway',
      /outside/,
    ],
    [
      'the network address for gateway',
      { subnets: [subnet('10.0.1.0/24', { gateway: '10.0.1.0' })] },
      'bad-gateway',
      /network or broadcast/,
    ],
    [
      'the broadcast address for gateway',
      { subnets: [subnet('10.0.1.0/24', { gateway: '10.0.1.255' })] },
      'bad-gateway',
      /broadcast/,
    ],
    [
      'the anycast address for gateway',
      { subnets: [subnet('fd00:1::/64', { gateway: 'fd00:1::' })] },
      'bad-gateway',
      /network/,
    ],
    [
      'a range that is no prefix',
      { subnets: [subnet('10.0.1.0/24', { range: '10.0.1.8-20' })] },
      'bad-range',
      /no CIDR/,
    ],
    [
      'host bits in its range',
      { subnets: [subnet('10.0.1.0/24', { range: '10.0.1.9/29' })] },
      'bad-range',
      /did you mean 10.0.1.8\/29/,
    ],
    [
      'a range outside',
      { subnets: [subnet('10.0.1.0/24', { range: '10.0.2.0/25' })] },
      'bad-range',
      /not inside/,
    ],
    [
      'a range wider than its subnet',
      { subnets: [subnet('10.0.1.0/24', { range: '10.0.0.0/23' })] },
      'bad-range',
      /not inside/,
    ],
    [
      'a range without an address for the gateway',
      { subnets: [subnet('10.0.1.0/24', { range: '10.0.1.0/32' })] },
      'pool-exhausted',
      /10.0.1.0\/32.*gateway/,
    ],
    [
      'a reserved address without a name',
      { subnets: [subnet('10.0.1.0/24', { aux: [['', '10.0.1.5']] })] },
      'bad-aux-address',
      /proper name/,
    ],
    [
      'a reserved address outside',
      { subnets: [subnet('10.0.1.0/24', { aux: [['a', '10.0.2.5']] })] },
      'bad-aux-address',
      /not in 10.0.1.0\/24/,
    ],
    [
      'a reserved address that is none',
      { subnets: [subnet('10.0.1.0/24', { aux: [['a', 'x']] })] },
      'bad-aux-address',
      /'x'/,
    ],
    [
      'a reserved address twice',
      {
        subnets: [
          subnet('10.0.1.0/24', {
            aux: [
              ['a', '10.0.1.5'],
              ['b', '10.0.1.5'],
            ],
          }),
        ],
      },
      'bad-aux-address',
      /'b' repeats 'a'/,
    ],
    [
      'a reserved name twice',
      {
        subnets: [
          subnet('10.0.1.0/24', {
            aux: [
              ['a', '10.0.1.5'],
              ['a', '10.0.1.6'],
            ],
          }),
        ],
      },
      'bad-aux-address',
      /repeats/,
    ],
    [
      'its gateway reserved',
      { subnets: [subnet('10.0.1.0/24', { gateway: '10.0.1.5', aux: [['a', '10.0.1.5']] })] },
      'bad-aux-address',
      /gateway/,
    ],
    [
      'its broadcast address reserved',
      { subnets: [subnet('10.0.1.0/24', { aux: [['a', '10.0.1.255']] })] },
      'bad-aux-address',
      /broadcast/,
    ],
    [
      'a parent that is loopback',
      { driver: 'macvlan', options: [['parent', 'lo']] },
      'bad-option',
      /option parent is 'lo' and must be another link than loopback/,
    ],
    [
      'a parent that is no name',
      { driver: 'macvlan', options: [['parent', '../eth0']] },
      'bad-option',
      /must be the name of a link, such as eth0 or eth0.50/,
    ],
    [
      'a parent with a VLAN that is none',
      { driver: 'ipvlan', options: [['parent', 'eth0.4095']] },
      'bad-option',
      /must be a link with a VLAN from 1 to 4094 behind the dot/,
    ],
    [
      'a macvlan mode that is none',
      { driver: 'macvlan', options: [['macvlan_mode', 'bride']] },
      'bad-option',
      /'bride' and must be one of bridge, private, vepa, passthru/,
    ],
    [
      'an ipvlan mode that is none',
      { driver: 'ipvlan', options: [['ipvlan_mode', 'l4']] },
      'bad-option',
      /'l4' and must be one of l2, l3, l3s/,
    ],
    [
      'an ipvlan flag that is none',
      { driver: 'ipvlan', options: [['ipvlan_flag', 'public']] },
      'bad-option',
      /'public' and must be one of bridge, private, vepa/,
    ],
    [
      'an option of macvlan that nobody knows',
      { driver: 'macvlan', options: [['macvlan_mod', 'bridge']] },
      'unknown-option',
      /driver macvlan knows no option 'macvlan_mod'; did you mean macvlan_mode\?/,
    ],
    [
      'an MTU of macvlan out of range',
      { driver: 'macvlan', options: [[mtuOption, '67']] },
      'bad-option',
      /must be from 68 to 65535/,
    ],
    [
      'a second network of the null driver',
      { driver: 'null' },
      'predefined-network',
      /only one instance of 'null' network is allowed; connect to 'none'/,
    ],
    [
      'a second network of the host driver',
      { driver: 'host' },
      'predefined-network',
      /only one instance of 'host' network is allowed; connect to 'host'/,
    ],
  ];
  for (const [what, wishes, code, text] of cases) {
    it(`for ${what}: ${code}`, () => {
      const ledger = new Ledger('h1');
      refused(ledger.network('h1', wishes.name ?? 'red', wishes), code, text);
      assert.equal(ledger.state.networks.size, predefinedNetworks.length);
      assert.equal(ledger.state.pools.size, otherPools);
      assert.equal(ledger.state.vnis.size, 0n);
      ledger.check();
    });
  }

  it('has a name that another has, whatever its case', () => {
    const ledger = new Ledger('h1', 'h2');
    const first = networkOf(ledger.network('h1', 'red'));
    refused(
      ledger.network('h2', 'RED'),
      'name-taken',
      new RegExp(`${first.id.slice(0, 12)} is called 'red'`),
    );
    ledger.check();
  });

  it('cannot be made twice by one record, however long ago the first was', () => {
    const ledger = new Ledger('h1');
    const { outcome } = accepted(ledger.network('h1', 'red'));
    ledger.pass(17_000);
    assert.ok(outcome.record !== undefined);
    refused(
      ledger.network('h1', 'blue', {}, { id: outcome.record }),
      'duplicate',
      /has made a network before/,
    );
    ledger.check();
  }).timeout(20_000);
});

describe('networks that share a subnet', () => {
  const shared = { subnets: [subnet('10.0.1.0/24')] };

  it('share its addresses: the second gateway is the next free one', () => {
    const ledger = new Ledger('h1');
    const gateways = ['red', 'blue', 'green'].map(
      (name) => networkOf(ledger.network('h1', name, shared)).subnets[0]?.gateway,
    );
    assert.deepEqual(gateways, ['10.0.1.1', '10.0.1.2', '10.0.1.3']);
    assert.equal(ledger.state.pools.size, otherPools + 1);
    ledger.check();
  });

  it('cannot both ask for one gateway or reserve one address', () => {
    const ledger = new Ledger('h1');
    accepted(
      ledger.network('h1', 'red', {
        subnets: [subnet('10.0.1.0/24', { gateway: '10.0.1.9', aux: [['a', '10.0.1.10']] })],
      }),
    );
    refused(
      ledger.network('h1', 'blue', { subnets: [subnet('10.0.1.0/24', { gateway: '10.0.1.9' })] }),
      'address-taken',
      /10.0.1.9 \(gateway\)/,
    );
    refused(
      ledger.network('h1', 'blue', { subnets: [subnet('10.0.1.0/24', { aux: [['b', '10.0.1.10']] })] }),
      'address-taken',
      /10.0.1.10 \(b\)/,
    );
    refused(
      ledger.network('h1', 'blue', { subnets: [subnet('10.0.1.0/24', { aux: [['b', '10.0.1.9']] })] }),
      'address-taken',
    );
    ledger.check();
  });

  for (const other of ['10.0.0.0/16', '10.0.1.0/25', '10.0.1.128/25', '10.0.0.0/23']) {
    it(`do not share ${other} with 10.0.1.0/24`, () => {
      const ledger = new Ledger('h1');
      accepted(ledger.network('h1', 'red', shared));
      refused(
        ledger.network('h1', 'blue', { subnets: [subnet(other)] }),
        'pool-overlap',
        /overlaps 10.0.1.0\/24.*--address-space/,
      );
      ledger.check();
    });
  }

  it('of different address spaces do not know of each other', () => {
    const ledger = new Ledger('h1');
    accepted(ledger.network('h1', 'red', shared));
    assert.deepEqual(
      networkOf(ledger.network('h1', 'blue', { ...shared, space: 'tenant' })).subnets[0]?.gateway,
      '10.0.1.1',
    );
    accepted(ledger.network('h1', 'green', { subnets: [subnet('10.0.0.0/8')], space: 'wide' }));
    refused(
      ledger.network('h1', 'grey', { subnets: [subnet('10.0.0.0/8')], space: 'TENANT' }),
      'pool-overlap',
    );
    ledger.check();
  });

  it('keep the pool until the last of them goes', () => {
    const ledger = new Ledger('h1');
    accepted(ledger.network('h1', 'red', shared));
    accepted(ledger.network('h1', 'blue', shared));
    accepted(ledger.removeNetwork('h1', 'red'));
    refused(ledger.network('h1', 'green', { subnets: [subnet('10.0.0.0/16')] }), 'pool-overlap');
    ledger.check();
    accepted(ledger.removeNetwork('h1', 'blue'));
    accepted(ledger.network('h1', 'green', { subnets: [subnet('10.0.0.0/16')] }));
    ledger.check();
  });

  it('have a gateway as long as the pool has an address', () => {
    const ledger = new Ledger('h1');
    accepted(ledger.network('h1', 'a', { subnets: [subnet('10.0.1.0/30')] }));
    accepted(ledger.network('h1', 'b', { subnets: [subnet('10.0.1.0/30')] }));
    refused(ledger.network('h1', 'c', { subnets: [subnet('10.0.1.0/30')] }), 'pool-exhausted', /gateway/);
    accepted(ledger.removeNetwork('h1', 'a'));
    assert.equal(
      networkOf(ledger.network('h1', 'c', { subnets: [subnet('10.0.1.0/30')] })).subnets[0]?.gateway,
      '10.0.1.1',
    );
    ledger.check();
  });
});

describe('default pools', () => {
  const prefixOf = (ledger: Ledger, name: string, wishes: NetworkWishes = {}) =>
    networkOf(ledger.network('h1', name, wishes)).subnets[0]?.prefix;

  it('go round, each address space for itself, and around what is there', () => {
    const ledger = new Ledger('h1');
    accepted(ledger.network('h1', 'asked', { subnets: [subnet('10.0.1.128/25')] }));
    assert.deepEqual(
      ['a', 'b'].map((name) => prefixOf(ledger, name)),
      ['10.0.0.0/24', '10.0.2.0/24'],
    );
    assert.equal(prefixOf(ledger, 'c', { space: 'tenant' }), '10.0.0.0/24');
    accepted(ledger.removeNetwork('h1', 'a'));
    assert.equal(prefixOf(ledger, 'd'), '10.0.3.0/24');
    ledger.check();
  });

  it('can run out', () => {
    const ledger = new Ledger('h1');
    accepted(ledger.network('h1', 'all', { subnets: [subnet('10.0.0.0/8')] }));
    refused(ledger.network('h1', 'red'), 'pools-exhausted', /--subnet/);
    accepted(ledger.network('h1', 'v6', { subnets: [subnet('fd00::/8'), subnet('192.168.0.0/24')] }));
    refused(
      ledger.network('h1', 'red', { ipv6: true, subnets: [subnet('192.168.1.0/24')] }),
      'pools-exhausted',
      /IPv6 --subnet/,
    );
    ledger.check();
  });
});

describe('VNIs', () => {
  const vniOf = (ledger: Ledger, name: string, vni?: string) =>
    networkOf(ledger.network('h1', name, vni === undefined ? {} : { options: [[vniOption, vni]] })).vni;

  it('count from 256, rest when freed, and keep clear of those asked for', () => {
    const ledger = new Ledger('h1');
    assert.equal(vniOf(ledger, 'asked', '258'), 258);
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => vniOf(ledger, name)),
      [256, 257, 259],
    );
    accepted(ledger.removeNetwork('h1', 'a'));
    assert.equal(vniOf(ledger, 'd'), 260);
    assert.equal(vniOf(ledger, 'low', '1'), 1);
    ledger.check();
  });

  it('belong to one network at a time', () => {
    const ledger = new Ledger('h1');
    vniOf(ledger, 'red', '300');
    refused(ledger.network('h1', 'blue', { options: [[vniOption, '300']] }), 'vni-taken', /VNI 300/);
    accepted(ledger.removeNetwork('h1', 'red'));
    assert.equal(vniOf(ledger, 'blue', '300'), 300);
  });
});

describe('networks on a parent', () => {
  const on = (parent: string, driver = 'macvlan'): NetworkWishes => ({
    driver,
    options: [['parent', parent]],
  });

  it('are one for each parent, whatever the driver, until it is removed', () => {
    const ledger = new Ledger('h1');
    const lan = networkOf(ledger.network('h1', 'lan', on('eth0')));
    assert.deepEqual([lan.vni, lan.subnets[0]?.prefix], [undefined, '10.0.0.0/24']);
    const taken = /network 'lan' is already using parent interface 'eth0'; connect to that/;
    refused(ledger.network('h1', 'other', on('eth0')), 'parent-taken', taken);
    refused(ledger.network('h1', 'other', on('eth0', 'ipvlan')), 'parent-taken', taken);
    accepted(ledger.network('h1', 'vlan', on('eth0.50')));
    accepted(ledger.network('h1', 'inside', { driver: 'macvlan' }));
    accepted(ledger.network('h1', 'inside2', { driver: 'macvlan' }));
    ledger.check();
    accepted(ledger.removeNetwork('h1', 'lan'));
    accepted(ledger.network('h1', 'other', on('eth0', 'ipvlan')));
    ledger.check();
  });

  it('give MAC addresses where interfaces have them of their own', () => {
    const ledger = new Ledger('h1');
    const mac = '02:42:0a:00:01:09';
    accepted(ledger.network('h1', 'lan', on('eth0')));
    assert.equal(endpointOf(ledger.attach('h1', 'lan', { mac })).mac, mac);
    accepted(
      ledger.network('h1', 'whole', {
        driver: 'macvlan',
        options: [
          ['parent', 'eth1'],
          ['macvlan_mode', 'passthru'],
        ],
      }),
    );
    accepted(ledger.network('h1', 'shared', on('eth2', 'ipvlan')));
    for (const name of ['whole', 'shared']) {
      const { mac: none, ifname, addresses } = endpointOf(ledger.attach('h1', name));
      assert.deepEqual([none, ifname, addresses.length], [undefined, 'eth0', 1]);
      refused(ledger.attach('h1', name, { mac }), 'bad-mac', /has the MAC address of the link/);
    }
    ledger.check();
  });
});

describe('a network that is removed', () => {
  it('must exist and be empty', () => {
    const ledger = new Ledger('h1', 'h2');
    const red = networkOf(ledger.network('h1', 'red'));
    refused(ledger.record('h1', 'network-remove', { network: 'f'.repeat(64) }), 'no-such-network', /ffff/);
    const first = endpointOf(ledger.attach('h1', 'red'));
    refused(ledger.removeNetwork('h2', 'red'), 'network-in-use', /'red': it has 1 endpoint;/);
    const second = endpointOf(ledger.attach('h2', 'red'));
    refused(ledger.removeNetwork('h2', 'red'), 'network-in-use', /2 endpoints/);
    accepted(ledger.detach('h1', first.id));
    accepted(ledger.detach('h1', second.id));
    const { changes, outcome } = accepted(ledger.removeNetwork('h2', 'red'));
    assert.deepEqual(changes, [{ type: 'network-removed', network: red }]);
    assert.deepEqual(outcome.accepted && outcome.subject, { type: 'network', id: red.id });
    assert.equal(ledger.state.networkNames.size, predefinedNetworks.length);
    ledger.check();
  });

  it('gives back all that it had', () => {
    const ledger = new Ledger('h1');
    const wishes = {
      subnets: [
        subnet('10.0.1.0/24', {
          gateway: '10.0.1.9',
          range: '10.0.1.64/26',
          aux: [['a', '10.0.1.10']] as [string, string][],
        }),
        subnet('fd00:1::/64'),
      ],
    };
    accepted(ledger.network('h1', 'keeper', { subnets: [subnet('10.0.1.0/24')] }));
    for (let count = 0; count < 3; count += 1) {
      accepted(ledger.network('h1', 'red', wishes));
      ledger.check();
      accepted(ledger.removeNetwork('h1', 'red'));
      ledger.check();
    }
    assert.equal(ledger.state.pools.size, otherPools + 1);
    assert.equal(ledger.state.vnis.size, 1n);
  });
});

describe('bridge networks', () => {
  const bridge = { driver: 'bridge' };
  const named = (name: string) => [['com.docker.network.bridge.name', name]] as [string, string][];

  it("come from Docker's local pools, beside what the author's host has routes to, and go back there", () => {
    const ledger = new Ledger('h1');
    const prefixOf = (name: string, wishes: NetworkWishes = {}) =>
      networkOf(ledger.network('h1', name, { ...bridge, ...wishes })).subnets[0]?.prefix;
    assert.equal(prefixOf('red'), '172.18.0.0/16');
    assert.equal(prefixOf('blue', { avoid: ['172.19.3.0/24', 'no prefix'] }), '172.20.0.0/16');
    accepted(ledger.removeNetwork('h1', 'red'));
    assert.equal(prefixOf('green'), '172.18.0.0/16');
    for (let count = 0; count < 12; count += 1) prefixOf(`n${count}`);
    assert.equal(prefixOf('small'), '192.168.0.0/20');
    // The last of them is the gateway subnet of the host.
    for (let count = 0; count < 14; count += 1) accepted(ledger.network('h1', `s${count}`, bridge));
    refused(ledger.network('h1', 'last', bridge), 'pools-exhausted', /192.168.0.0\/16/);
    ledger.check();
  });

  it('share no subnet with each other, but with an overlay of another space', () => {
    const ledger = new Ledger('h1');
    const wishes = { ...bridge, subnets: [subnet('10.0.1.0/24')] };
    assert.equal(networkOf(ledger.network('h1', 'red', wishes)).space, 'local');
    refused(ledger.network('h1', 'blue', wishes), 'pool-overlap', /choose another subnet$/);
    accepted(ledger.network('h1', 'over', { subnets: [subnet('10.0.1.0/24')] }));
    refused(
      ledger.network('h1', 'green', { ...bridge, space: 'tenant' }),
      'bad-option',
      /address space 'local'/,
    );
    const two = { ...bridge, subnets: [subnet('10.0.2.0/24'), subnet('10.0.3.0/24')] };
    refused(ledger.network('h1', 'green', two), 'bad-subnet', /leave out 10.0.3.0/);
    ledger.check();
  });

  it('have a bridge each, under a name that is one and that no other has', () => {
    const ledger = new Ledger('h1');
    accepted(ledger.network('h1', 'red', { ...bridge, options: named('lan') }));
    refused(
      ledger.network('h1', 'blue', { ...bridge, options: named('lan') }),
      'bridge-taken',
      /network 'red'/,
    );
    refused(ledger.network('h1', 'blue', { ...bridge, options: named('weft0') }), 'bridge-taken', /'bridge'/);
    for (const name of ['sixteen-letters-', '', 'lo', 'default', 'a"b', 'a b', 'a/b', '-a', 'a;b'])
      refused(
        ledger.network('h1', 'blue', { ...bridge, options: named(name) }),
        'bad-option',
        /1 to 15 letters/,
      );
    ledger.check();
  });

  it('name the interfaces of their endpoints as they are told', () => {
    const ledger = new Ledger('h1');
    const options = [['com.docker.network.container_iface_prefix', 'lan']] as [string, string][];
    accepted(ledger.network('h1', 'red', { ...bridge, options }));
    const avoid = ['lan0', 'eth0'];
    assert.equal(endpointOf(ledger.attach('h1', 'red', { avoid })).ifname, 'lan1');
    assert.equal(endpointOf(ledger.attach('h1', 'red', { gatewayPriority: -3 })).gatewayPriority, -3);
    ledger.check();
  });
});
