import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { accepted, endpointOf, Ledger, refused, subnet } from '../../test/support/ledger.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { gatewayOfSandbox } from './lookup.ts';

const box = { ref: 'c1', identity: 'boot-c1' };
const other = { ref: 'c2', identity: 'boot-c2' };

/** Host h1 with overlays red, blue and vault, which is internal, and the bridge lan. */
function scene(...hosts: readonly string[]): Ledger {
  const ledger = new Ledger(...(hosts.length === 0 ? ['h1'] : hosts));
  accepted(ledger.network('h1', 'red'));
  accepted(ledger.network('h1', 'blue', { subnets: [subnet('10.0.9.0/24'), subnet('fd00:9::/64')] }));
  accepted(ledger.network('h1', 'vault', { internal: true }));
  accepted(ledger.network('h1', 'lan', { driver: 'bridge' }));
  return ledger;
}

function gatewayOf(ledger: Ledger, sandbox = box, host = 'h1'): Endpoint | undefined {
  ledger.check();
  return gatewayOfSandbox(ledger.state, host, sandbox.identity);
}

const addressesOf = (...where: Parameters<typeof gatewayOf>) => gatewayOf(...where)?.addresses;

describe('a gateway endpoint', () => {
  it('comes with the first overlay of a sandbox, is one for all of them, and goes with the last', () => {
    const ledger = scene();
    const first = endpointOf(ledger.attach('h1', 'red', { sandbox: box }));
    const gateway = gatewayOf(ledger);
    assert.deepEqual(
      [gateway?.addresses, gateway?.ifname, gateway?.mac],
      [['192.168.240.2/20'], 'eth1', '02:42:c0:a8:f0:02'],
    );
    const { changes } = accepted(ledger.attach('h1', 'vault', { sandbox: box }));
    assert.deepEqual(
      changes.map(({ type }) => type),
      ['endpoint-added'],
    );
    assert.equal(gatewayOf(ledger), gateway);
    accepted(ledger.detach('h1', first.id));
    assert.equal(gatewayOf(ledger), undefined, 'what is left is internal');
  });

  it('is not for a sandbox whose overlays are internal', () => {
    const ledger = scene();
    accepted(ledger.attach('h1', 'vault', { sandbox: box }));
    assert.equal(gatewayOf(ledger), undefined);
  });

  it('makes way for a network with a way out, and comes back after it', () => {
    const ledger = scene();
    const lan = endpointOf(ledger.attach('h1', 'lan', { sandbox: box }));
    accepted(ledger.attach('h1', 'red', { sandbox: box }));
    assert.equal(gatewayOf(ledger), undefined);
    const { changes } = accepted(
      ledger.record('h1', 'endpoint-remove', {
        endpoint: lan.id,
        reason: 'requested',
        avoid: ['eth0', 'eth2'],
      }),
    );
    assert.deepEqual(
      changes.map(({ type }) => type),
      ['endpoint-removed', 'gateway-set'],
    );
    assert.equal(gatewayOf(ledger)?.ifname, 'eth3', 'beside what the sandbox has of others');
    accepted(ledger.attach('h1', 'lan', { sandbox: box }));
    assert.equal(gatewayOf(ledger), undefined);
  });

  it('has IPv6 while an overlay of its sandbox has it, at the same distance from the host', () => {
    const ledger = scene();
    accepted(ledger.attach('h1', 'red', { sandbox: other }));
    accepted(ledger.attach('h1', 'red', { sandbox: box }));
    const six = endpointOf(ledger.attach('h1', 'blue', { sandbox: box }));
    const [ipv4, ipv6] = addressesOf(ledger) ?? [];
    assert.equal(ipv4, '192.168.240.3/20');
    assert.match(ipv6 ?? '', /^fd[0-9a-f:]+::3\/64$/);
    accepted(ledger.detach('h1', six.id));
    assert.deepEqual(addressesOf(ledger), ['192.168.240.3/20']);
    assert.deepEqual(addressesOf(ledger, other), ['192.168.240.2/20']);
  });

  it('is called by the reference of an endpoint that is there', () => {
    const ledger = scene();
    const first = endpointOf(ledger.attach('h1', 'red', { sandbox: box }));
    accepted(ledger.attach('h1', 'blue', { sandbox: { ...box, ref: '/run/netns/c1' } }));
    assert.equal(gatewayOf(ledger)?.sandbox.ref, 'c1');
    accepted(ledger.detach('h1', first.id));
    assert.equal(gatewayOf(ledger)?.sandbox.ref, '/run/netns/c1');
  });

  it('is nobody to connect to', () => {
    const refusal = scene().attach('h1', 'weft_gwbridge', { sandbox: box });
    refused(refusal, 'predefined-network', /sandboxes get on it by themselves/);
  });
});

describe('gateway subnets', () => {
  it('are the same on all hosts where they can be, each with addresses of its own', () => {
    const ledger = scene('h1', 'h2');
    accepted(ledger.join('h3', { address: '192.168.2.3', avoid: ['192.168.241.0/24', 'no prefix'] }));
    for (const host of ['h1', 'h2', 'h3']) accepted(ledger.attach(host, 'red', { sandbox: box }));
    assert.deepEqual(
      ['h1', 'h2', 'h3'].map((host) => addressesOf(ledger, box, host)?.[0]),
      ['192.168.240.2/20', '192.168.240.2/20', '192.168.224.2/20'],
    );
  });

  it('are no subnets of bridges, whichever came first', () => {
    const ledger = scene();
    const wishes = { driver: 'bridge', subnets: [subnet('192.168.248.0/24')] };
    refused(ledger.network('h1', 'lan2', wishes), 'pool-overlap', /overlaps 192\.168\.240\.0\/20/);
    const join = { address: '192.168.2.2', gatewaySubnet: '172.18.0.0/16' };
    refused(ledger.join('h2', join), 'pool-overlap', /gateway subnet 172\.18\.0\.0\/16 overlaps/);
    refused(ledger.join('h2', { ...join, gatewaySubnet: '10.1.2.3/16' }), 'bad-subnet', /did you mean/);
    refused(ledger.join('h2', { ...join, gatewaySubnet: 'fd00::/64' }), 'bad-subnet', /not of IPv4/);
    ledger.check();
  });

  it('stay over restarts, and move with all that is on them where the host asks for another', () => {
    const ledger = scene();
    for (const sandbox of [box, other]) accepted(ledger.attach('h1', 'red', { sandbox }));
    const join = { address: '192.168.2.1' };
    accepted(ledger.join('h1', { ...join, avoid: ['192.168.240.0/20'] }));
    assert.deepEqual(addressesOf(ledger, other), ['192.168.240.3/20'], 'it is in use');
    accepted(ledger.join('h1', { ...join, gatewaySubnet: '10.200.0.0/29' }));
    assert.deepEqual(
      [box, other].map((each) => addressesOf(ledger, each)?.[0]),
      ['10.200.0.2/29', '10.200.0.3/29'],
    );
    accepted(ledger.join('h1', join));
    assert.deepEqual(addressesOf(ledger), ['10.200.0.2/29'], 'what it had is kept');
    refused(ledger.join('h1', { ...join, gatewaySubnet: '10.201.0.0/30' }), 'pool-exhausted', /larger/);
    assert.deepEqual(addressesOf(ledger), ['10.200.0.2/29']);
  });

  it('move out of the way of a route while nobody is on them', () => {
    const ledger = scene();
    accepted(ledger.join('h1', { address: '192.168.2.1', avoid: ['192.168.240.0/20'] }));
    assert.equal(ledger.state.hosts.get('h1')?.gatewaySubnet, '192.168.224.0/20');
    ledger.check();
  });

  it('refuse a sandbox that they have no address for, and leave one without that comes to need it', () => {
    const ledger = scene();
    const lan = endpointOf(ledger.attach('h1', 'lan', { sandbox: other }));
    accepted(ledger.attach('h1', 'red', { sandbox: other }));
    accepted(ledger.join('h1', { address: '192.168.2.1', gatewaySubnet: '10.200.0.0/31' }));
    const first = endpointOf(ledger.attach('h1', 'red', { sandbox: box }));
    refused(
      ledger.attach('h1', 'red', { sandbox: { ref: 'c3', identity: 'boot-c3' } }),
      'pool-exhausted',
      /no free address in 10\.200\.0\.0\/31; .*--gateway-subnet/,
    );
    accepted(ledger.detach('h1', lan.id));
    assert.equal(gatewayOf(ledger, other), undefined);
    accepted(ledger.detach('h1', first.id));
    accepted(ledger.attach('h1', 'blue', { sandbox: other }));
    assert.equal(addressesOf(ledger, other)?.length, 2);
  });

  it('are not to be had where all is taken or routed, until the host joins again', () => {
    const ledger = new Ledger();
    accepted(ledger.join('h1', { address: '192.168.2.1', avoid: ['172.16.0.0/12', '192.168.0.0/16'] }));
    accepted(ledger.network('h1', 'red'));
    accepted(ledger.attach('h1', 'red', { sandbox: box }));
    assert.equal(gatewayOf(ledger), undefined);
    const { changes } = accepted(ledger.join('h1', { address: '192.168.2.1' }));
    assert.deepEqual(
      changes.map(({ type }) => type),
      ['host-set', 'gateway-set'],
    );
    assert.deepEqual(addressesOf(ledger), ['192.168.240.2/20']);
  });

  it('go with their host', () => {
    const ledger = scene('h1', 'h2');
    const before = ledger.state.pools.size;
    accepted(ledger.attach('h2', 'red', { sandbox: box }));
    accepted(ledger.removeHost('h1', 'h2'));
    ledger.check();
    assert.equal(ledger.state.pools.size, before - 1);
    assert.equal(ledger.state.gateways.size, 0);
  });
});
