import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { UsageError } from '../../usage.ts';
import { pairSubnets } from './subnets.ts';

describe('pairing with subnets', () => {
  it('goes by what contains what, in any order', () => {
    const paired = pairSubnets({
      subnet: ['10.1.0.0/16', 'fd00::/64', '10.2.0.0/16'],
      gateway: ['10.2.0.1', 'fd00::1', '10.1.0.1'],
      ipRange: ['10.2.3.0/24'],
      auxAddress: ['a=10.1.0.5', 'b=10.1.0.6', 'c=fd00::5'],
    });
    assert.deepEqual(paired, [
      { prefix: '10.1.0.0/16', gateway: '10.1.0.1', aux: { a: '10.1.0.5', b: '10.1.0.6' } },
      { prefix: 'fd00::/64', gateway: 'fd00::1', aux: { c: 'fd00::5' } },
      { prefix: '10.2.0.0/16', gateway: '10.2.0.1', range: '10.2.3.0/24', aux: {} },
    ]);
  });

  it('leaves to the fold what lies nowhere, with the first subnet of its family', () => {
    const subnet = ['10.1.0.0/16', 'fd00::/64'];
    assert.equal(pairSubnets({ subnet, gateway: ['192.168.0.1'] })[0]?.gateway, '192.168.0.1');
    assert.equal(pairSubnets({ subnet, gateway: ['fd99::1'] })[1]?.gateway, 'fd99::1');
    assert.equal(pairSubnets({ subnet, gateway: ['nonsense'] })[0]?.gateway, 'nonsense');
    assert.equal(pairSubnets({ subnet, ipRange: ['10.0.0.0/8'] })[0]?.range, '10.0.0.0/8');
    assert.equal(pairSubnets({ subnet: ['nonsense'], gateway: ['10.0.0.1'] })[0]?.gateway, '10.0.0.1');
  });

  it('needs a subnet to pair with, and takes one of a kind for each', () => {
    assert.throws(() => pairSubnets({ ipRange: ['10.0.0.0/24'] }), UsageError);
    assert.throws(() => pairSubnets({ auxAddress: ['a=10.0.0.1'] }), UsageError);
    const subnet = ['10.1.0.0/16'];
    assert.throws(() => pairSubnets({ subnet, ipRange: ['10.1.1.0/24', '10.1.2.0/24'] }), UsageError);
    assert.throws(() => pairSubnets({ subnet, auxAddress: ['a=10.1.0.5', 'a=10.1.0.6'] }), UsageError);
  });

  it('gives nothing where nothing is asked for', () => {
    assert.deepEqual(pairSubnets({}), []);
  });
});
