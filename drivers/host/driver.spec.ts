import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { testEndpoint, testHost, testOverlay, viewOf } from '../../test/support/overlay-cases.ts';
import { drivers } from '../index.ts';
import { hostDriver } from './driver.ts';

const self = testHost('etcdmaster', '192.168.2.15');
const view = viewOf({ hosts: [self] }, self);
const network = { ...testOverlay([]), driver: 'host' };

describe('host driver', () => {
  it('is found by its name', () => {
    assert.equal(drivers.get('host'), hostDriver);
  });

  it("makes nothing: the host's namespace has it all", () => {
    const { ifname: _ifname, mac: _mac, ...endpoint } = testEndpoint(1, 'etcdmaster', 'pid:1');
    assert.deepEqual(hostDriver.compileNetwork(network, view), []);
    assert.deepEqual(hostDriver.compileEndpoint(network, endpoint, view), []);
  });
});
