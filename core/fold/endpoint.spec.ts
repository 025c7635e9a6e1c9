import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  accepted,
  type EndpointWishes,
  endpointOf,
  Ledger,
  networkOf,
  refused,
  subnet,
} from '../../test/support/ledger.ts';
import type { ErrorCode } from '../errors.ts';
import { endpointIdOf } from '../model/ids.ts';

/** A host and a network `red`: 10.0.1.0/24 with a reserved address, and fd00:1::/64. */
function red(): Ledger {
  const ledger = new Ledger('h1', 'h2');
  const subnets = [subnet('10.0.1.0/24', { aux: [['router', '10.0.1.20']] }), subnet('fd00:1::/64')];
  accepted(ledger.network('h1', 'red', { subnets }));
  return ledger;
}

const box = { ref: 'c1', identity: 'boot-1-4097' };

describe('an endpoint that is made', () => {
  it('is what was asked for, with what weft chose', () => {
    const ledger = red();
    const wishes = { name: 'Web', aliases: ['www', 'web2', 'WWW'], sandbox: box };
    const { outcome, changes } = accepted(ledger.attach('h2', 'red', wishes, { by: 'uid:1000', at: 99 }));
    assert.ok(outcome.accepted && outcome.record !== undefined);
    const stamp = { ordinal: 4, host: 'h2', by: 'uid:1000', at: 99 };
    const endpoint = {
      id: endpointIdOf(outcome.record),
      network: ledger.networkNamed('red').id,
      name: 'Web',
      aliases: ['www', 'web2'],
      host: 'h2',
      sandbox: box,
      ifname: 'eth0',
      mac: '02:42:0a:00:01:02',
      addresses: ['10.0.1.2/24', 'fd00:1::2/64'],
      created: stamp,
      changed: stamp,
    };
    assert.deepEqual(changes[0], { type: 'endpoint-added', endpoint });
    assert.deepEqual(outcome.subject, { type: 'endpoint', id: endpoint.id });
    ledger.check();
  });

  it('has what it asks for', () => {
    const ledger = red();
    const wishes = { ipv4: '10.0.1.77', ipv6: 'FD00:1:0::77', mac: '0A-BB-CC-DD-EE-FF', ifname: 'net1' };
    const { addresses, mac, ifname } = endpointOf(ledger.attach('h1', 'red', wishes));
    assert.deepEqual(
      [addresses, mac, ifname],
      [['10.0.1.77/24', 'fd00:1::77/64'], '0a:bb:cc:dd:ee:ff', 'net1'],
    );
    ledger.check();
  });

  it('of the null driver has neither address nor interface', () => {
    const ledger = new Ledger('h1');
    const endpoint = endpointOf(ledger.attach('h1', 'none', { name: 'web' }));
    assert.deepEqual([endpoint.addresses, endpoint.mac, endpoint.ifname], [[], undefined, undefined]);
    refused(ledger.attach('h1', 'none', { ipv4: '10.0.1.2' }), 'bad-address', /null makes no interface/);
    refused(ledger.attach('h1', 'none', { ipv6: 'fd00::2' }), 'bad-address');
    refused(ledger.attach('h1', 'none', { mac: '02:42:0a:00:01:02' }), 'bad-mac');
    refused(ledger.attach('h1', 'none', { ifname: 'eth0' }), 'bad-name');
    ledger.check();
  });
});

describe('an endpoint that is refused', () => {
  const cases: readonly [string, EndpointWishes, ErrorCode, RegExp][] = [
    ['a name that is none', { name: '-web' }, 'bad-name', /'-web'/],
    ['an alias that is none', { aliases: ['ok', 'not ok'] }, 'bad-name', /'not ok'/],
    ['a sandbox that is none', { sandbox: { ref: '../c1', identity: 'x' } }, 'bad-sandbox', /ip netns/],
    ['a sandbox identity with blanks', { sandbox: { ref: 'c1', identity: 'a b' } }, 'bad-sandbox', /blanks/],
    ['an address that is none', { ipv4: 'ten' }, 'bad-address', /'ten' is no IPv4 address/],
    ['an address of the other family', { ipv4: 'fd00:1::9' }, 'bad-address', /no IPv4 address/],
    ['an IPv6 address of the other family', { ipv6: '10.0.1.9' }, 'bad-address', /no IPv6 address/],
    [
      'an address outside',
      { ipv4: '10.0.2.9' },
      'bad-address',
      /no subnet of the network; choose one in 10.0.1.0\/24/,
    ],
    ['the gateway', { ipv4: '10.0.1.1' }, 'address-taken', /is the network's gateway/],
    ['a reserved address', { ipv4: '10.0.1.20' }, 'address-taken', /reserved as 'router'/],
    ['the network address', { ipv4: '10.0.1.0' }, 'address-taken', /reserved in 10.0.1.0\/24/],
    ['the broadcast address', { ipv4: '10.0.1.255' }, 'address-taken', /reserved/],
    ['the anycast address', { ipv6: 'fd00:1::' }, 'address-taken', /reserved/],
    ['a MAC address that is none', { mac: '02:42:0a' }, 'bad-mac', /'02:42:0a'/],
    ['a group address', { mac: '01:00:5e:00:00:01' }, 'bad-mac', /group/],
    ['no address at all', { mac: '00:00:00:00:00:00' }, 'bad-mac', /zero/],
    ['an interface name that is none', { ifname: '0eth' }, 'bad-name', /'0eth'/],
    ['a name that sysctl has', { ifname: 'all' }, 'bad-name', /'all'/],
    ['the name of loopback', { ifname: 'lo' }, 'interface-taken', /interface lo/],
    ['an interface that is there', { ifname: 'wg0', avoid: ['wg0'] }, 'interface-taken', /wg0/],
  ];
  for (const [what, wishes, code, text] of cases) {
    it(`for ${what}: ${code}`, () => {
      const ledger = red();
      refused(ledger.attach('h1', 'red', wishes), code, text);
      assert.equal(endpointOf(ledger.attach('h1', 'red')).addresses[0], '10.0.1.2/24');
      ledger.check();
    });
  }

  it('is on no network', () => {
    const body = { network: 'f'.repeat(64), aliases: [], sandbox: box, avoid: [] };
    refused(red().record('h1', 'endpoint-create', body), 'no-such-network', /ffff/);
  });

  it('asks for IPv6 of a network without', () => {
    const ledger = new Ledger('h1');
    accepted(ledger.network('h1', 'v4'));
    refused(ledger.attach('h1', 'v4', { ipv6: 'fd00::2' }), 'bad-address', /has no IPv6 subnet/);
  });

  it('has what another has: name, address, MAC address', () => {
    const ledger = red();
    endpointOf(ledger.attach('h1', 'red', { name: 'web', ipv4: '10.0.1.9', mac: '02:00:00:00:00:01' }));
    refused(ledger.attach('h2', 'red', { name: 'WEB' }), 'name-taken', /on host 'h1' is called 'web'/);
    refused(ledger.attach('h2', 'red', { ipv4: '10.0.1.9' }), 'address-taken', /in use in 10.0.1.0\/24/);
    refused(ledger.attach('h2', 'red', { mac: '02:00:00:00:00:01' }), 'mac-taken', /02:00:00:00:00:01/);
    accepted(ledger.attach('h2', 'red', { aliases: ['web'] }));
    accepted(ledger.network('h1', 'blue'));
    accepted(ledger.attach('h2', 'blue', { name: 'web', mac: '02:00:00:00:00:01' }));
    ledger.check();
  });

  it('is in a sandbox that is attached already', () => {
    const ledger = red();
    const first = endpointOf(ledger.attach('h1', 'red', { sandbox: box }));
    refused(
      ledger.attach('h1', 'red', { sandbox: { ...box, ref: 'pid:7' } }),
      'already-attached',
      new RegExp(first.id.slice(0, 12)),
    );
    accepted(ledger.attach('h2', 'red', { sandbox: box }));
    accepted(ledger.attach('h1', 'red', { sandbox: { ...box, identity: 'boot-1-4098' } }));
    ledger.check();
  });

  it('cannot be made twice by one record, however long ago the first was', () => {
    const ledger = red();
    const { outcome } = accepted(ledger.attach('h1', 'red'));
    ledger.pass(17_000);
    assert.ok(outcome.record !== undefined);
    refused(
      ledger.attach('h1', 'red', {}, { id: outcome.record }),
      'duplicate',
      /has made an endpoint before/,
    );
    ledger.check();
  }).timeout(20_000);
});

describe('interface names', () => {
  it('are the lowest that neither weft nor anybody else has in the sandbox', () => {
    const ledger = red();
    for (const name of ['a', 'b', 'c', 'd']) accepted(ledger.network('h1', name));
    const names = ['a', 'b', 'c'].map(
      (name) => endpointOf(ledger.attach('h1', name, { sandbox: box, avoid: ['eth1', 'wg0'] })).ifname,
    );
    assert.deepEqual(names, ['eth0', 'eth3', 'eth4'], 'eth2 is on the gateway bridge');
    const [first] = [...ledger.state.endpoints.values()].filter((endpoint) => endpoint.ifname === 'eth0');
    assert.ok(first !== undefined);
    refused(ledger.attach('h1', 'd', { sandbox: box, ifname: 'eth3' }), 'interface-taken', /eth3/);
    refused(ledger.attach('h1', 'd', { sandbox: box, ifname: 'eth2' }), 'interface-taken', /eth2/);
    accepted(ledger.detach('h2', first.id));
    assert.equal(endpointOf(ledger.attach('h1', 'd', { sandbox: box })).ifname, 'eth0');
    assert.equal(endpointOf(ledger.attach('h2', 'd', { sandbox: box })).ifname, 'eth0');
    ledger.check();
  });
});

describe('MAC addresses', () => {
  it('are derived from the IPv4 address unless somebody has that one', () => {
    const ledger = red();
    endpointOf(ledger.attach('h1', 'red', { mac: '02:42:0a:00:01:03' }));
    const second = endpointOf(ledger.attach('h1', 'red'));
    assert.deepEqual(second.addresses[0], '10.0.1.3/24');
    assert.match(second.mac ?? '', /^02:42:(?!0a:00:01:03)/);
    assert.equal(endpointOf(ledger.attach('h1', 'red')).mac, '02:42:0a:00:01:04');
    ledger.check();
  });
});

describe('addresses', () => {
  const firstOf = (ledger: Ledger, wishes: EndpointWishes = {}, network = 'red') =>
    endpointOf(ledger.attach('h1', network, wishes)).addresses[0];

  it('go on after the last, pass over those in use, and come back in the end', () => {
    const ledger = new Ledger('h1');
    accepted(ledger.network('h1', 'red', { subnets: [subnet('10.0.1.0/29')] }));
    const first = endpointOf(ledger.attach('h1', 'red'));
    assert.equal(first.addresses[0], '10.0.1.2/29');
    accepted(ledger.attach('h1', 'red', { ipv4: '10.0.1.3' }));
    accepted(ledger.detach('h1', first.id));
    assert.deepEqual(
      [firstOf(ledger), firstOf(ledger), firstOf(ledger)],
      ['10.0.1.4/29', '10.0.1.5/29', '10.0.1.6/29'],
    );
    assert.equal(firstOf(ledger), '10.0.1.2/29');
    refused(ledger.attach('h1', 'red'), 'pool-exhausted', /10.0.1.0\/29 has no free IPv4 address/);
    ledger.check();
  });

  it('that are chosen lie in the range, those asked for anywhere in the subnet', () => {
    const ledger = new Ledger('h1');
    accepted(
      ledger.network('h1', 'red', {
        subnets: [subnet('10.0.1.0/24', { range: '10.0.1.8/30', gateway: '10.0.1.1' })],
      }),
    );
    assert.equal(firstOf(ledger, { ipv4: '10.0.1.200' }), '10.0.1.200/24');
    assert.deepEqual(
      [1, 2, 3, 4].map(() => firstOf(ledger)),
      ['10.0.1.8/24', '10.0.1.9/24', '10.0.1.10/24', '10.0.1.11/24'],
    );
    refused(ledger.attach('h1', 'red'), 'pool-exhausted', /10.0.1.8\/30/);
    ledger.check();
  });

  it('come from the first subnet that has one', () => {
    const ledger = new Ledger('h1');
    accepted(
      ledger.network('h1', 'red', {
        subnets: [subnet('10.0.1.0/31'), subnet('10.0.2.0/30'), subnet('fd00:1::/126')],
      }),
    );
    assert.deepEqual([firstOf(ledger), firstOf(ledger)], ['10.0.1.1/31', '10.0.2.2/30']);
    refused(ledger.attach('h1', 'red'), 'pool-exhausted', /10.0.1.0\/31, 10.0.2.0\/30 has no free IPv4/);
    ledger.check();
  });

  it('of both families are had or neither', () => {
    const ledger = new Ledger('h1');
    accepted(ledger.network('h1', 'red', { subnets: [subnet('10.0.1.0/24'), subnet('fd00:1::/126')] }));
    accepted(ledger.attach('h1', 'red'));
    accepted(ledger.attach('h1', 'red'));
    refused(ledger.attach('h1', 'red'), 'pool-exhausted', /fd00:1::\/126 has no free IPv6/);
    assert.equal(
      networkOf(ledger.network('h1', 'blue', { subnets: [subnet('10.0.1.0/24')] })).subnets[0]?.gateway,
      '10.0.1.4',
    );
    ledger.check();
  });

  it('are shared with the other networks of the subnet', () => {
    const ledger = new Ledger('h1');
    for (const name of ['red', 'blue'])
      accepted(ledger.network('h1', name, { subnets: [subnet('10.0.1.0/24')] }));
    assert.deepEqual(
      [firstOf(ledger), firstOf(ledger, {}, 'blue'), firstOf(ledger)],
      ['10.0.1.3/24', '10.0.1.4/24', '10.0.1.5/24'],
    );
    refused(ledger.attach('h1', 'blue', { ipv4: '10.0.1.3' }), 'address-taken');
    ledger.check();
  });
});

describe('an endpoint that is removed', () => {
  for (const reason of ['requested', 'sandbox-gone', 'attach-failed'] as const) {
    it(`goes because: ${reason}, by whatever host`, () => {
      const ledger = red();
      const endpoint = endpointOf(ledger.attach('h1', 'red', { name: 'web' }));
      const { changes, outcome } = accepted(
        ledger.record('h2', 'endpoint-remove', { endpoint: endpoint.id, reason }),
      );
      assert.deepEqual(changes[0], { type: 'endpoint-removed', endpoint, reason });
      assert.deepEqual(outcome.accepted && outcome.subject, { type: 'endpoint', id: endpoint.id });
      refused(ledger.detach('h1', endpoint.id), 'no-such-endpoint', new RegExp(endpoint.id));
      const again = endpointOf(
        ledger.attach('h1', 'red', { name: 'web', ipv4: '10.0.1.2', sandbox: endpoint.sandbox }),
      );
      assert.equal(again.mac, endpoint.mac);
      ledger.check();
    });
  }
});
