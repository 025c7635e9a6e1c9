import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { addressFromBigInt, familyOf, type Prefix } from '../model/address.ts';
import { reservedRanges, subnetFault } from './subnet-rules.ts';

describe('subnets', () => {
  for (const prefix of [
    '10.0.1.0/24',
    '10.0.0.0/8',
    '192.168.2.0/31',
    '240.0.0.0/4',
    '100.64.0.0/10',
    'fd00:1::/64',
    '2001:db8::/127',
  ]) {
    it(`may be ${prefix}`, () => assert.equal(subnetFault(prefix as Prefix), undefined));
  }

  for (const [prefix, why] of [
    ['0.0.0.0/0', /every address/],
    ['::/0', /every address/],
    ['0.0.0.0/8', /this network/],
    ['0.0.0.0/1', /this network/],
    ['127.0.0.0/24', /loopback/],
    ['126.0.0.0/7', /loopback/],
    ['169.254.3.0/24', /link-local/],
    ['224.0.0.0/24', /multicast/],
    ['192.0.0.0/2', /multicast/],
    ['10.0.0.1/32', /one address/],
    ['::/64', /loopback/],
    ['fe80::/64', /link-local/],
    ['ff02::/16', /multicast/],
    ['fd00::1/128', /one address/],
  ] as const) {
    it(`may not be ${prefix}`, () => assert.match(subnetFault(prefix as Prefix) ?? '', why));
  }

  for (const [prefix, reserved] of [
    ['10.0.1.0/24', ['10.0.1.0', '10.0.1.255']],
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255']],
    ['10.0.1.4/30', ['10.0.1.4', '10.0.1.7']],
    ['10.0.1.4/31', []],
    ['fd00:1::/64', ['fd00:1::']],
    ['fd00:1::/126', ['fd00:1::']],
    ['fd00:1::/127', []],
  ] as const) {
    it(`of ${prefix} keep ${reserved.join(' and ') || 'nothing'}`, () => {
      const ranges = reservedRanges(prefix as Prefix);
      assert.ok(ranges.every(({ first, last }) => first === last));
      assert.deepEqual(
        ranges.map(({ first }) => addressFromBigInt(first, familyOf(prefix as Prefix))),
        reserved,
      );
    });
  }
});
