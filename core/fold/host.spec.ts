import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { accepted, endpointOf, Ledger, refused } from '../../test/support/ledger.ts';
import { dedupeWindowOrdinals } from '../limits.ts';
import type { Change } from './change.ts';

const other = 'ffffffffffffffffffffffffffffffff';

/** What becomes of gateway endpoints is told by `gateway.spec.ts`. */
function withoutGateways(changes: readonly Change[]): readonly Change[] {
  return changes.filter(({ type }) => type !== 'gateway-set' && type !== 'gateway-removed');
}

describe('a host that joins', () => {
  it('begins with its first life', () => {
    const ledger = new Ledger();
    const { outcome, changes } = accepted(
      ledger.join('etcdmaster', { address: '192.168.2.15' }, { by: 'daemon', at: 7 }),
    );
    assert.deepEqual(outcome.accepted && outcome.subject, { type: 'host', name: 'etcdmaster', epoch: 1 });
    const host = ledger.state.hosts.get('etcdmaster');
    assert.equal(host?.address, '192.168.2.15');
    assert.deepEqual(host?.created, { ordinal: 1, host: 'etcdmaster', by: 'daemon', at: 7 });
    assert.deepEqual(changes, [{ type: 'host-set', host }]);
    ledger.check();
  });

  it('lives once more after a restart, and may have moved', () => {
    const ledger = new Ledger('h1');
    const before = ledger.state.hosts.get('h1');
    const { changes } = accepted(ledger.join('h1', { address: '192.168.2.77', mtu: 9000, version: '0.2.0' }));
    const host = ledger.state.hosts.get('h1');
    assert.deepEqual(changes, [{ type: 'host-set', host, previous: before }]);
    assert.equal(host?.epoch, 2);
    assert.equal(host?.created.ordinal, 1);
    assert.equal(host?.changed.ordinal, 2);
    accepted(ledger.join('h2', { address: '192.168.2.1' }));
    ledger.check();
  });

  it('is not woken again by a join from before its present life, or from before it was removed', () => {
    const ledger = new Ledger('h1');
    accepted(ledger.join('h1', { address: '192.168.2.1' }, { base: 1 }));
    refused(
      ledger.join('h1', { address: '192.168.2.1' }, { base: 1 }),
      'stale-epoch',
      /before record 2, by which its life 2 began/,
    );
    accepted(ledger.join('h2', { address: '192.168.2.2' }));
    accepted(ledger.record('h2', 'host-remove', { name: 'h1' }));
    refused(
      ledger.join('h1', { address: '192.168.2.1' }, { base: 4 }),
      'stale-epoch',
      /before record 5 removed it/,
    );
    accepted(ledger.join('h1', { address: '192.168.2.1' }, { base: 5 }));
    ledger.check();
  });

  it('keeps its endpoints over a restart', () => {
    const ledger = new Ledger('h1');
    ledger.network('h1', 'red');
    const endpoint = endpointOf(ledger.attach('h1', 'red'));
    accepted(ledger.join('h1', { address: '192.168.2.1' }));
    assert.deepEqual(ledger.state.endpoints.get(endpoint.id), endpoint);
  });

  for (const [what, name, body, code, text] of [
    ['a name that is none', 'h 1', {}, 'bad-name', /'h 1'.*letters/],
    ['no address', 'h1', { address: 'eth0' }, 'bad-address', /'eth0' is no address/],
    ['a loopback address', 'h1', { address: '127.0.1.1' }, 'bad-address', /cannot send to 127.0.1.1/],
    ['the unspecified address', 'h1', { address: '::' }, 'bad-address', /cannot send/],
    ['a multicast address', 'h1', { address: '239.1.1.1' }, 'bad-address', /cannot send/],
    ['the broadcast address', 'h1', { address: '255.255.255.255' }, 'bad-address', /cannot send/],
    ['an address that needs a zone', 'h1', { address: 'fe80::1' }, 'bad-address', /cannot send/],
    ['an MTU that carries nothing', 'h1', { mtu: 67 }, 'bad-option', /67 is not from 68 to 65535/],
    ['an MTU beyond any link', 'h1', { mtu: 65_536 }, 'bad-option', /65536/],
  ] as const) {
    it(`is refused with ${what}`, () => refused(new Ledger().join(name, body), code, text));
  }

  it('is refused under a name that another machine has, whatever its case', () => {
    const ledger = new Ledger('alpha');
    refused(ledger.join('alpha', { identity: other }), 'host-taken', /another machine.*weft host rm/);
    refused(ledger.join('ALPHA', { identity: other }), 'host-taken');
    refused(ledger.join('Alpha'), 'host-taken');
    ledger.check();
  });

  it('is refused at an address that another host advertises, also on its return', () => {
    const ledger = new Ledger('h1', 'h2');
    refused(
      ledger.join('h3', { address: '192.168.2.1' }),
      'address-in-use-by-host',
      /'h1' advertises 192.168.2.1/,
    );
    refused(ledger.join('h2', { address: '192.168.2.1' }), 'address-in-use-by-host');
    accepted(ledger.join('h2', { address: '192.168.2.2' }));
  });

  it('knows an address by its value, not its spelling', () => {
    const ledger = new Ledger();
    accepted(ledger.join('h1', { address: '2001:DB8:0::1' }));
    refused(ledger.join('h2', { address: '2001:db8::1' }), 'address-in-use-by-host');
  });

  it('must not say which life it begins', () => {
    refused(new Ledger().join('h1', {}, { epoch: 1 }), 'malformed', /epoch 1/);
  });
});

describe('a host that is removed', () => {
  it('takes its endpoints along, and says so before it goes', () => {
    const ledger = new Ledger('h1', 'h2');
    ledger.network('h1', 'red', { subnets: [{ prefix: '10.0.1.0/29', aux: [] }] });
    const mine = [endpointOf(ledger.attach('h2', 'red')), endpointOf(ledger.attach('h2', 'red'))];
    const stays = endpointOf(ledger.attach('h1', 'red'));
    const host = ledger.state.hosts.get('h2');
    const { changes, outcome } = accepted(ledger.removeHost('h1', 'H2'));
    const gone = mine.map((endpoint) => ({ type: 'endpoint-removed', endpoint, reason: 'host-removed' }));
    assert.deepEqual(withoutGateways(changes), [...gone, { type: 'host-removed', host, isExpired: false }]);
    assert.deepEqual(outcome.accepted && outcome.subject, { type: 'host', name: 'h2', epoch: 1 });
    assert.deepEqual([...ledger.state.endpoints.keys()], [stays.id]);
    for (let count = 0; count < 4; count += 1) accepted(ledger.attach('h1', 'red'));
    refused(ledger.attach('h1', 'red'), 'pool-exhausted');
    ledger.check();
  });

  it('may remove itself', () => {
    const ledger = new Ledger('h1');
    accepted(ledger.removeHost('h1', 'h1'));
    assert.equal(ledger.state.hosts.size, 0);
  });

  it('must exist', () => refused(new Ledger('h1').removeHost('h1', 'h9'), 'no-such-host', /'h9'/));

  it('frees its address and its name', () => {
    const ledger = new Ledger('h1', 'h2');
    accepted(ledger.removeHost('h1', 'h2'));
    accepted(ledger.join('h3', { address: '192.168.2.2' }));
    accepted(ledger.join('H2', { address: '192.168.2.9', identity: other }));
    ledger.check();
  });

  it('begins above its last life when it comes back, on whatever machine', () => {
    const ledger = new Ledger('h1', 'h2');
    accepted(ledger.join('h2', { address: '192.168.2.2' }));
    accepted(ledger.removeHost('h1', 'h2'));
    refused(ledger.network('h2', 'red', {}, { epoch: 2 }), 'host-removed', /'h2' was removed by record 4/);
    accepted(ledger.join('H2', { address: '192.168.2.2', identity: other }));
    assert.equal(ledger.state.hosts.get('H2')?.epoch, 3);
    ledger.check();
  });

  it('is forgotten after W records, and its name still begins above all that is forgotten', () => {
    const ledger = new Ledger('h1', 'h2');
    accepted(ledger.join('h2', { address: '192.168.2.2' }));
    accepted(ledger.removeHost('h1', 'h2'));
    ledger.pass(dedupeWindowOrdinals - 1);
    assert.equal(ledger.state.removedHosts.size, 1);
    ledger.pass(1);
    assert.equal(ledger.state.removedHosts.size, 0);
    assert.equal(ledger.state.epochFloor, 2);
    refused(ledger.network('h2', 'red', {}, { epoch: 2 }), 'no-such-host', /'h2' has joined/);
    accepted(ledger.join('h2', { address: '192.168.2.2' }));
    assert.equal(ledger.state.hosts.get('h2')?.epoch, 3);
    ledger.check();
  });
});

describe('a host that is down', () => {
  /** h2 has an endpoint, and is down since record 6. */
  function silent(): Ledger {
    const ledger = new Ledger('h1', 'h2', 'h3');
    ledger.network('h1', 'red');
    endpointOf(ledger.attach('h2', 'red', { name: 'web' }));
    accepted(ledger.takeDown('h1', 'h2'));
    return ledger;
  }

  it('keeps its endpoints, its address and its epoch', () => {
    const ledger = new Ledger('h1', 'h2', 'h3');
    ledger.network('h1', 'red');
    const endpoint = endpointOf(ledger.attach('h2', 'red', { name: 'web' }));
    const previous = ledger.state.hosts.get('h2');
    const { changes, outcome } = accepted(ledger.takeDown('h1', 'h2', { at: 9 }));
    const host = ledger.state.hosts.get('h2');
    assert.deepEqual(changes, [{ type: 'host-set', host, previous }]);
    assert.deepEqual(outcome.accepted && outcome.subject, { type: 'host', name: 'h2', epoch: 1 });
    const changed = { ordinal: 6, host: 'h1', by: 'uid:0', at: 9 };
    assert.deepEqual(host, { ...previous, isDown: true, changed });
    assert.deepEqual(ledger.state.endpoints.get(endpoint.id), endpoint);
    assert.deepEqual([...ledger.state.downHosts.entries()], [['h2', 1]]);
    refused(ledger.join('h4', { address: '192.168.2.2' }), 'address-in-use-by-host');
    ledger.check();
  });

  it('changes nothing any more before it has joined again', () => {
    const ledger = silent();
    refused(ledger.network('h2', 'blue'), 'host-down', /'h2' has been down since record 6.*join again/);
    refused(ledger.takeDown('h2', 'h1'), 'host-down');
    refused(ledger.removeHost('h2', 'h1'), 'host-down');
    accepted(ledger.join('h2', { address: '192.168.2.2' }));
    refused(ledger.network('h2', 'blue', {}, { epoch: 1 }), 'stale-epoch');
    accepted(ledger.network('h2', 'blue'));
    ledger.check();
  });

  it('is up again in its next life, with its endpoints as they were', () => {
    const ledger = silent();
    const endpoints = [...ledger.state.endpoints.entries()];
    const previous = ledger.state.hosts.get('h2');
    const { changes } = accepted(ledger.join('h2', { address: '192.168.2.2' }));
    const host = ledger.state.hosts.get('h2');
    assert.deepEqual(changes, [{ type: 'host-set', host, previous }]);
    assert.deepEqual([host?.epoch, host?.isDown, host?.joined, host?.created.ordinal], [2, false, 7, 2]);
    assert.deepEqual([...ledger.state.endpoints.entries()], endpoints);
    assert.equal(ledger.state.downHosts.size, 0);
    ledger.check();
  });

  it('is not brought up by a join that was written before it went down', () => {
    const ledger = silent();
    refused(
      ledger.join('h2', { address: '192.168.2.2' }, { base: 5 }),
      'stale-epoch',
      /before record 6, by which its life 1 was taken down/,
    );
    ledger.check();
  });

  it('is not taken down twice, nor for what was seen of an earlier life, nor where it never was', () => {
    const ledger = silent();
    refused(ledger.takeDown('h3', 'h2'), 'host-down', /down since record 6; nothing is to be done/);
    accepted(ledger.join('h2', { address: '192.168.2.2' }));
    const late = { name: 'h2', epoch: 1 };
    refused(
      ledger.record('h3', 'host-down', late),
      'stale-epoch',
      /of life 1 of host 'h2', which lives its 2/,
    );
    refused(ledger.record('h3', 'host-down', { name: 'h2', epoch: 3 }), 'stale-epoch');
    refused(ledger.record('h3', 'host-down', { name: 'h9', epoch: 1 }), 'no-such-host');
    ledger.check();
  });

  for (const [hosts, most] of [
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [7, 3],
  ] as const) {
    it(`is one of ${most} at most where there are ${hosts}`, () => {
      const names = Array.from({ length: hosts }, (_, index) => `h${index + 1}`);
      const ledger = new Ledger(...names);
      const [author = '', ...others] = names;
      for (const name of others.slice(0, most)) accepted(ledger.takeDown(author, name));
      const next = others[most] ?? author;
      refused(ledger.takeDown(author, next), 'too-many-down', /more than half of the .* hosts.*weft host rm/);
      if (most > 0) {
        accepted(ledger.removeHost(author, 'h2'));
        const mayGo = most - 1 < Math.floor((hosts - 1) / 2) && next !== author;
        if (mayGo) accepted(ledger.takeDown(author, next));
      }
      ledger.check();
    });
  }

  it('may be removed by an operator', () => {
    const ledger = silent();
    accepted(ledger.removeHost('h1', 'h2'));
    assert.deepEqual([ledger.state.downHosts.size, ledger.state.endpoints.size], [0, 0]);
    ledger.check();
  });
});

describe('a host that expires', () => {
  it('leaves like one that is removed, and says that nobody asked for it', () => {
    const ledger = new Ledger('h1', 'h2', 'h3');
    ledger.network('h1', 'red');
    const endpoint = endpointOf(ledger.attach('h2', 'red'));
    accepted(ledger.takeDown('h1', 'h2'));
    const host = ledger.state.hosts.get('h2');
    const { changes } = accepted(ledger.expire('h3', 'h2'));
    assert.deepEqual(withoutGateways(changes), [
      { type: 'endpoint-removed', endpoint, reason: 'host-expired' },
      { type: 'host-removed', host, isExpired: true },
    ]);
    assert.deepEqual(ledger.state.removedHosts.get('h2'), { epoch: 1, ordinal: 7, isExpired: true });
    refused(ledger.network('h2', 'blue', {}, { epoch: 1 }), 'host-removed', /expired by record 7/);
    accepted(ledger.join('h2', { address: '192.168.2.2' }));
    assert.equal(ledger.state.hosts.get('h2')?.epoch, 2);
    ledger.check();
  });

  it('must be down, and in the life that was judged', () => {
    const ledger = new Ledger('h1', 'h2', 'h3');
    refused(ledger.expire('h1', 'h2'), 'host-up', /'h2'.*not down.*weft host rm/);
    accepted(ledger.takeDown('h1', 'h2'));
    accepted(ledger.join('h2', { address: '192.168.2.2' }));
    accepted(ledger.takeDown('h1', 'h2'));
    refused(ledger.record('h1', 'host-expire', { name: 'h2', epoch: 1 }), 'stale-epoch');
    refused(ledger.record('h1', 'host-expire', { name: 'h9', epoch: 1 }), 'no-such-host');
    ledger.check();
  });
});
