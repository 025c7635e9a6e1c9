/** Sandboxes that are given no interface, for the goldens of the drivers host and null. */
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Network } from '../../core/model/network.ts';
import { type OverlayCase, testEndpoint, testHost, testOverlay } from './overlay-cases.ts';

const hosts = [testHost('etcdmaster', '192.168.2.15')];

function network(driver: string): Network {
  const { vni: _vni, ...rest } = testOverlay([]);
  return { ...rest, name: driver, driver, space: 'local' };
}

function endpointOf(sandbox: string): Endpoint {
  const { ifname: _ifname, mac: _mac, ...endpoint } = testEndpoint(1, 'etcdmaster', sandbox);
  return endpoint;
}

export const hostCases: readonly OverlayCase[] = [
  {
    name: 'nothing',
    title: "The host's own namespace: nothing is made, and nothing taken away",
    hosts,
    network: network('host'),
    endpoints: [endpointOf('pid:1')],
  },
];

export const nullCases: readonly OverlayCase[] = [
  {
    name: 'loopback',
    title: 'Loopback, and nothing else',
    hosts,
    network: network('null'),
    endpoints: [endpointOf('red')],
  },
];
