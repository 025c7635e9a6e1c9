import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import { testEndpoint, testHost, testOverlay, viewOf } from '../../test/support/overlay-cases.ts';
import { drivers } from '../index.ts';
import { nullDriver } from './driver.ts';

const self = testHost('etcdmaster', '192.168.2.15');
const view = viewOf({ hosts: [self] }, self);
const network = { ...testOverlay([]), driver: 'null' };
const { ifname: _ifname, mac: _mac, ...rest } = testEndpoint(1, 'etcdmaster', 'red');
const endpoint: Endpoint = rest;

describe('null driver', () => {
  it('is found by its name', () => {
    assert.equal(drivers.get('null'), nullDriver);
  });

  it('gives a local sandbox its loopback, and nothing else to anyone', () => {
    assert.deepEqual(nullDriver.compileNetwork(network, view), []);
    assert.deepEqual(nullDriver.compileEndpoint(network, endpoint, view), [
      {
        kind: 'link',
        ns: sandboxNamespace('red'),
        name: 'lo',
        owner: '',
        up: true,
        type: { type: 'loopback' },
      },
    ]);
    assert.deepEqual(nullDriver.compileEndpoint(network, { ...endpoint, host: 'minion' }, view), []);
  });
});
