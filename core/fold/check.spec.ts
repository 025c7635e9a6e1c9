import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { accepted, endpointOf, Ledger, networkOf, subnet } from '../../test/support/ledger.ts';
import { rangeOf, release, take } from '../ipam/pool.ts';
import { SortedTable } from '../lib/table.ts';
import type { InterfaceAddress, IpAddress } from '../model/address.ts';
import type { EndpointId, NetworkId } from '../model/ids.ts';
import type { Mac } from '../model/mac.ts';
import { checkState } from './check.ts';
import type { State } from './state.ts';

const ledger = new Ledger('h1', 'h2');
const red = networkOf(
  ledger.network('h1', 'red', { subnets: [subnet('10.0.1.0/24'), subnet('fd00:1::/64')] }),
);
const one = endpointOf(ledger.attach('h1', 'red', { name: 'one' }));
const two = endpointOf(ledger.attach('h2', 'red', { name: 'two' }));
accepted(ledger.join('h3', { address: '192.168.2.3' }));
accepted(ledger.removeHost('h1', 'h3'));
const sound = ledger.state;

/** A copy of a table with one entry changed, or taken out. */
function edited<K extends string | number, V>(
  table: { entries(): Iterable<[K, V]> },
  key: K,
  value?: V,
): SortedTable<K, V> {
  const copy = SortedTable.empty<K, V>();
  for (const [each, old] of table.entries()) copy.set(each, old);
  if (value === undefined) copy.delete(key);
  else copy.set(key, value);
  return copy;
}

const pool = sound.pools.pool('default', red.subnets[0]?.prefix ?? assert.fail()) ?? assert.fail();
const none = 'e'.repeat(64);

describe('the check of a state', () => {
  it('has nothing against a sound one', () => assert.deepEqual(checkState(sound), []));

  const cases: readonly [string, Partial<State>, RegExp][] = [
    ['an endpoint on no network', { networks: edited(sound.networks, red.id) }, /does not exist/],
    ['an endpoint on no host', { hosts: edited(sound.hosts, 'h1') }, /host h1, which does not exist/],
    [
      'an endpoint under another id',
      { endpoints: edited(edited(sound.endpoints, one.id), none as EndpointId, one) },
      /another id/,
    ],
    [
      'one address twice',
      { endpoints: edited(sound.endpoints, two.id, { ...two, addresses: one.addresses }) },
      /10.0.1.2, which another has/,
    ],
    [
      'the gateway held',
      {
        endpoints: edited(sound.endpoints, two.id, {
          ...two,
          addresses: ['10.0.1.1/24', 'fd00:1::3/64'] as InterfaceAddress[],
        }),
      },
      /10.0.1.1/,
    ],
    [
      'an address in no subnet',
      {
        endpoints: edited(sound.endpoints, two.id, {
          ...two,
          addresses: ['10.0.2.1/24', 'fd00:1::3/64'] as InterfaceAddress[],
        }),
      },
      /in no subnet/,
    ],
    [
      'an address lost',
      { endpoints: edited(sound.endpoints, two.id, { ...two, addresses: two.addresses.slice(0, 1) }) },
      /lacks an address/,
    ],
    [
      'an address leaked',
      { pools: sound.pools.withReplaced(take(pool, pool.first + 99n)) },
      /holds .* and should hold/,
    ],
    [
      'an address free that is held',
      { pools: sound.pools.withReplaced(release(pool, pool.first + 2n)) },
      /holds .* and should hold/,
    ],
    ['a pool too many', { pools: sound.pools.with({ ...pool, space: 'other' }, 0n) }, /has no network/],
    [
      'a user too many',
      {
        pools: sound.pools.withReplaced({
          ...pool,
          cursors: pool.cursors.map((cursor) => ({ ...cursor, users: 2 })),
        }),
      },
      /2 users/,
    ],
    [
      'a cursor outside',
      {
        pools: sound.pools.withReplaced({
          ...pool,
          cursors: [{ ...rangeOf(pool, undefined), users: 1, next: 0n }],
        }),
      },
      /cursor outside/,
    ],
    [
      'one MAC address twice',
      { endpoints: edited(sound.endpoints, two.id, { ...two, mac: one.mac as Mac }) },
      /index macs/,
    ],
    [
      'one name twice',
      { endpoints: edited(sound.endpoints, two.id, { ...two, name: 'ONE' }) },
      /index endpointNames/,
    ],
    [
      'one interface twice',
      { endpoints: edited(sound.endpoints, two.id, { ...two, host: 'h1', sandbox: one.sandbox }) },
      /second interface/,
    ],
    [
      'a name of nobody',
      { networkNames: edited(sound.networkNames, 'blue', none as NetworkId) },
      /networkNames has 6 entries and should have 5/,
    ],
    [
      'an underlay address of nobody',
      { hostAddresses: edited(sound.hostAddresses, '192.168.2.1', 'h2') },
      /hostAddresses is wrong/,
    ],
    ['a host name lost', { hostNames: edited(sound.hostNames, 'h1') }, /hostNames/],
    ['an endpoint missing on its network', { endpointsByNetwork: SortedTable.empty() }, /endpointsByNetwork/],
    ['an endpoint missing in its sandbox', { endpointsBySandbox: SortedTable.empty() }, /endpointsBySandbox/],
    ['a removal forgotten', { removals: SortedTable.empty() }, /removals/],
    [
      'a host both live and removed',
      { removedHosts: edited(sound.removedHosts, 'h1', { epoch: 1, ordinal: 1, isExpired: false }) },
      /lives and is remembered/,
    ],
    ['a VNI leaked', { vnis: sound.vnis.with(300n) }, /VNIs/],
    ['a VNI lost', { vnis: sound.vnis.without(256n) }, /VNIs/],
    ['a stamp from the future', { ordinal: 3 }, /was made at/],
    ['a VNI cursor elsewhere', { vniCursor: 300n }, /hash of the state/],
    ['an epoch floor elsewhere', { epochFloor: 9 }, /hash of the state/],
    [
      'a host changed',
      { hosts: edited(sound.hosts, 'h1', { ...(sound.hosts.get('h1') ?? assert.fail()), mtu: 1400 }) },
      /hash of the state/,
    ],
    [
      'an alias changed',
      { endpoints: edited(sound.endpoints, one.id, { ...one, aliases: ['x'] }) },
      /hash of the state/,
    ],
    [
      'a label changed',
      { networks: edited(sound.networks, red.id, { ...red, labels: { a: 'b' } }) },
      /hash of the state/,
    ],
    [
      'a gateway changed',
      {
        networks: edited(sound.networks, red.id, {
          ...red,
          subnets: red.subnets.map((each) => ({ ...each, gateway: '10.0.1.9' as IpAddress })),
        }),
      },
      /gateway|hash/,
    ],
    ['a memory lost', { memory: { ...sound.memory, present: SortedTable.empty() } }, /hash of the memory/],
  ];
  for (const [what, change, fault] of cases) {
    it(`finds ${what}`, () => {
      const faults = checkState({ ...sound, ...change });
      assert.ok(
        faults.some((each) => fault.test(each)),
        JSON.stringify(faults),
      );
    });
  }
});
