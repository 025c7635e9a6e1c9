import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  addressBytes,
  addressFromBigInt,
  addressFromBytes,
  addressToBigInt,
  parseAddress,
} from './address.ts';

const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));

describe('an address', () => {
  it('of IPv4 is its own canonical text, and the same as bytes and as a number', () => {
    fc.assert(
      fc.property(octets, (bytes) => {
        const address = parseAddress(bytes.join('.'));
        assert.ok(address !== undefined);
        assert.equal(address, bytes.join('.'));
        assert.deepEqual(addressBytes(address), bytes);
        assert.equal(addressFromBytes(bytes), address);
        assert.equal(addressFromBigInt(addressToBigInt(address), 4), address);
      }),
    );
  });

  it('counts its bytes from the left', () => {
    assert.equal(addressToBigInt(addressFromBytes([255, 0, 1, 2])), 0xff00_0102n);
    assert.equal(addressFromBigInt(0xff00_0102n, 4), '255.0.1.2');
  });

  it('of IPv6 is written as RFC 5952 has it', () => {
    assert.equal(parseAddress('2001:DB8:0:0::1'), '2001:db8::1');
    assert.equal(addressFromBigInt(0xfd00n << 112n, 6), 'fd00::');
  });

  const others = [
    '256.0.0.1',
    '10.0.1',
    '10.0.1.2.3',
    '010.0.0.1',
    '0x1.0.0.1',
    '10.0.1.',
    ' 10.0.1.2',
    '10.0.1.2\n',
  ];
  for (const text of [...others, '::ffff:10.0.1.2', 'fe80::1%eth0', '']) {
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(parseAddress(text), undefined));
  }

  it('takes no octal or hexadecimal numbers in the IPv4 part of an IPv6 address', () => {
    assert.equal(parseAddress('64:ff9b::192.0.2.33'), '64:ff9b::c000:221');
    assert.equal(parseAddress('fd00::10.0.0.010'), undefined);
    assert.equal(parseAddress('fd00::10.0.0.0x10'), undefined);
  });
});
