import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Ledger, type NetworkWishes, networkOf, refused, subnet } from '../../test/support/ledger.ts';
import { mtuOption } from './driver-traits.ts';

const networkDrivers = ['overlay', 'bridge', 'macvlan', 'ipvlan'];

describe('options of a network', () => {
  for (const [option, advice] of [
    ['com.docker.network.enable_ipv4', /give IPv6 subnets alone/],
    ['com.docker.network.enable_ipv6', /write --ipv6/],
    ['com.docker.network.internal', /write --internal/],
    ['com.docker.network.host_ipv4', /every host has the network/],
    ['com.docker.network.host_ipv6', /every host has the network/],
    ['com.docker.network.bridge.default_bridge', /there already/],
    ['com.docker.network.bridge.trusted_host_interfaces', /nat-unprotected/],
    ['encrypted', /encrypt what the hosts are joined by/],
  ] as const) {
    it(`of Docker's that weft has not are refused by name: ${option}`, () => {
      const ledger = new Ledger('h1');
      for (const driver of networkDrivers) {
        const folded = ledger.network('h1', 'red', { driver, options: [[option, 'true']] });
        refused(folded, 'unknown-option', new RegExp(`no option '${option}'; .*${advice.source}`));
      }
      ledger.check();
    });
  }

  it('have an MTU of 0 for none, as Docker has it, also with IPv6', () => {
    for (const driver of networkDrivers) {
      const ledger = new Ledger('h1');
      const subnets = [subnet('10.0.1.0/24'), subnet('fd00:1::/64')];
      const wishes: NetworkWishes = { driver, subnets, options: [[mtuOption, '0']] };
      assert.deepEqual(networkOf(ledger.network('h1', 'red', wishes)).options, { [mtuOption]: '0' });
      ledger.check();
    }
  });
});
