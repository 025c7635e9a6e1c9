import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { accepted, endpointOf, Ledger, refused, subnet } from '../../test/support/ledger.ts';

/** A host and networks: `red` of both families, `blue` of IPv4, and those that a sandbox can be on without interface. */
function networks(): Ledger {
  const ledger = new Ledger('h1');
  const subnets = [subnet('10.0.1.0/24'), subnet('10.0.2.0/24'), subnet('fd00:1::/64')];
  accepted(ledger.network('h1', 'red', { subnets }));
  accepted(ledger.network('h1', 'blue', { subnets: [subnet('10.0.3.0/24')] }));
  return ledger;
}

describe('static routes of an endpoint', () => {
  it('lead by a machine on its network, or by the link itself, in both families', () => {
    const ledger = networks();
    const routes = ['10.9.0.0/16,10.0.1.254', '198.51.100.7/32', 'FD00:9::/64,fd00:1::00fe'];
    assert.deepEqual(endpointOf(ledger.attach('h1', 'red', { routes })).routes, [
      { destination: '10.9.0.0/16', via: '10.0.1.254' },
      { destination: '198.51.100.7/32' },
      { destination: 'fd00:9::/64', via: 'fd00:1::fe' },
    ]);
    assert.equal(endpointOf(ledger.attach('h1', 'red')).routes, undefined);
    // Halves of everything, and single machines among the link-local ones, as those that tell of a cloud.
    accepted(
      ledger.attach('h1', 'red', { routes: ['0.0.0.0/1', '128.0.0.0/1', '169.254.169.254/32', '::/1'] }),
    );
    ledger.check();
  });

  const refusals: readonly (readonly [string, string, RegExp])[] = [
    ['red', '', /is none; write DESTINATION\[,GATEWAY\]/],
    ['red', '10.9.0.0', /is none/],
    ['red', '10.9.0.1/16', /is none/],
    ['red', '10.9.0.0/16,', /is none/],
    ['red', '10.9.0.0/16,10.0.1.254,10.0.1.253', /is none/],
    ['red', '10.9.0.0/16 via 10.0.1.254', /is none/],
    ['red', '0.0.0.0/0,10.0.1.254', /is a default route.*--gw-priority/],
    ['red', '::/0', /is a default route/],
    ...['127.0.0.0/8', '127.8.0.0/16', '169.254.0.0/16', 'fe80::/64', 'ff02::/16', '::1/128'].map(
      (route) => ['red', route, /loopback, link-local or multicast/] as const,
    ),
    ['red', '10.0.1.0/24', /a subnet of the network itself/],
    ['red', '10.0.2.0/24,10.0.1.254', /a subnet of the network itself/],
    ['red', '10.9.0.0/16,10.0.2.254', /no other machine of the endpoint's subnet/],
    ['red', '10.9.0.0/16,10.0.1.2', /no other machine of the endpoint's subnet/],
    ['red', '10.9.0.0/16,fd00:1::fe', /no other machine of the endpoint's subnet/],
    ['blue', 'fd00:9::/64', /the endpoint has no IPv6 address/],
    ['none', '10.9.0.0/16', /makes no interface; leave out the routes/],
  ];
  for (const [network, route, message] of refusals) {
    it(`are refused on ${network}: '${route}'`, () => {
      const ledger = networks();
      refused(ledger.attach('h1', network, { routes: [route] }), 'bad-route', message);
      ledger.check();
    });
  }

  it('lead to each destination once in a sandbox, until the endpoint goes', () => {
    const ledger = networks();
    const twice = ['10.9.0.0/16', '10.9.0.0/16,10.0.1.254'];
    refused(ledger.attach('h1', 'red', { routes: twice }), 'bad-route', /as another one does/);
    const wishes = { sandbox: { ref: 'web', identity: 'boot-web' }, routes: ['10.9.0.0/16'] };
    const first = endpointOf(ledger.attach('h1', 'red', wishes));
    refused(ledger.attach('h1', 'blue', wishes), 'route-taken', new RegExp(first.id.slice(0, 12)));
    accepted(ledger.attach('h1', 'blue', { routes: wishes.routes }));
    accepted(ledger.detach('h1', first.id));
    accepted(ledger.attach('h1', 'blue', wishes));
    ledger.check();
  });
});
