import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { endpointOf, Ledger, networkOf } from '../../test/support/ledger.ts';
import type { IpAddress } from '../model/address.ts';
import { ordinalKey } from './index-keys.ts';
import {
  endpointNamed,
  endpointsOfHost,
  endpointsOfNetwork,
  endpointsOfSandbox,
  endpointWithMac,
  hostAt,
  hostNamed,
  networkNamed,
} from './lookup.ts';

const ledger = new Ledger('h1', 'h10', 'H2');
const red = networkOf(ledger.network('h1', 'Red'));
const blue = networkOf(ledger.network('h1', 'blue'));
const box = { ref: 'c', identity: 'boot-1' };
const inRed = endpointOf(ledger.attach('h1', 'red', { name: 'Web', sandbox: box }));
const inBlue = endpointOf(ledger.attach('h1', 'blue', { name: 'web', sandbox: box }));
const longer = endpointOf(ledger.attach('h1', 'red', { sandbox: { ref: 'd', identity: 'boot-10' } }));
const elsewhere = endpointOf(ledger.attach('h10', 'red', { sandbox: box }));
const { state } = ledger;
const ids = (endpoints: Iterable<{ readonly id: string }>) => [...endpoints].map(({ id }) => id);

describe('looking up in a state', () => {
  it('finds hosts by name without case, and by address', () => {
    assert.equal(hostNamed(state, 'h2')?.name, 'H2');
    assert.equal(hostNamed(state, 'h3'), undefined);
    assert.equal(hostAt(state, '192.168.2.2' as IpAddress)?.name, 'h10');
    assert.equal(hostAt(state, '192.168.2.9' as IpAddress), undefined);
  });

  it('finds networks by name without case', () => {
    assert.deepEqual(networkNamed(state, 'RED'), red);
    assert.equal(networkNamed(state, 'green'), undefined);
  });

  it('finds endpoints by name and MAC address in one network alone', () => {
    assert.deepEqual(endpointNamed(state, red.id, 'web'), inRed);
    assert.deepEqual(endpointNamed(state, blue.id, 'WEB'), inBlue);
    assert.ok(inRed.mac !== undefined && longer.mac !== undefined);
    assert.deepEqual(endpointWithMac(state, red, inRed.mac), inRed);
    assert.equal(endpointWithMac(state, blue, longer.mac), undefined);
  });

  it('lists the endpoints of a network as they came about', () => {
    assert.deepEqual(ids(endpointsOfNetwork(state, red)), [inRed.id, longer.id, elsewhere.id]);
    assert.deepEqual(ids(endpointsOfNetwork(state, blue)), [inBlue.id]);
  });

  it('tells hosts and sandboxes apart whose names begin alike', () => {
    assert.deepEqual(ids(endpointsOfHost(state, 'h1')), [inRed.id, inBlue.id, longer.id]);
    assert.deepEqual(ids(endpointsOfHost(state, 'h10')), [elsewhere.id]);
    assert.deepEqual(ids(endpointsOfHost(state, 'h')), []);
    assert.deepEqual(ids(endpointsOfSandbox(state, 'h1', 'boot-1')), [inRed.id, inBlue.id]);
    assert.deepEqual(ids(endpointsOfSandbox(state, 'h1', 'boot')), []);
  });

  it('sorts ordinals as numbers', () => {
    const numbers = [1, 9, 35, 36, 1295, 1296, 46_655, 46_656, 2 ** 40, Number.MAX_SAFE_INTEGER];
    assert.deepEqual(numbers.map(ordinalKey).toSorted(), numbers.map(ordinalKey));
  });
});
