/** Networks whose interfaces are stacked on a link of their host, for the goldens of the drivers macvlan and ipvlan. */
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Network } from '../../core/model/network.ts';
import { type OverlayCase, testEndpoint, testHost, testOverlay } from './overlay-cases.ts';

const hosts = [testHost('etcdmaster', '192.168.2.15'), testHost('minion', '192.168.2.200')];

const ipv4 = [
  testEndpoint(1, 'etcdmaster', 'red', '10.0.1.2/24'),
  testEndpoint(2, 'minion', 'blue', '10.0.1.3/24'),
];

const both = [
  testEndpoint(1, 'etcdmaster', 'red', '10.0.1.2/24', 'fd00:1::2/64'),
  testEndpoint(2, 'etcdmaster', 'green', '10.0.1.4/24', 'fd00:1::4/64'),
];

function network(
  driver: string,
  options: Readonly<Record<string, string>>,
  subnets: readonly string[] = ['10.0.1.0/24'],
): Network {
  const { vni: _vni, ...rest } = testOverlay(subnets, options);
  return { ...rest, name: 'lan', driver };
}

function withoutMac({ mac: _mac, ...endpoint }: Endpoint): Endpoint {
  return endpoint;
}

export const macvlanCases: readonly OverlayCase[] = [
  {
    name: 'parent',
    title: 'On a link of each host, by its name; the gateway is a machine out there',
    hosts,
    network: network('macvlan', { parent: 'eth0' }),
    endpoints: ipv4,
  },
  {
    name: 'vlan-private',
    title: 'On a VLAN of a link, in private mode, with an MTU',
    hosts,
    network: network('macvlan', {
      parent: 'eth0.50',
      macvlan_mode: 'private',
      'com.docker.network.driver.mtu': '1400',
    }),
    endpoints: ipv4,
  },
  {
    name: 'vepa',
    title: 'Reaching each other by a switch that sends back, and by nothing else',
    hosts,
    network: network('macvlan', { parent: 'eth0', macvlan_mode: 'vepa' }),
    endpoints: ipv4,
  },
  {
    name: 'passthru',
    title: 'The whole link, with its MAC address',
    hosts,
    network: network('macvlan', { parent: 'eth1', macvlan_mode: 'passthru' }),
    endpoints: ipv4.map(withoutMac),
  },
  {
    name: 'no-parent',
    title: 'Without a parent: inside of one host alone, with no way out; both families',
    hosts,
    network: network('macvlan', {}, ['10.0.1.0/24', 'fd00:1::/64']),
    endpoints: both,
  },
  {
    name: 'internal',
    title: 'With a parent, and without a way out',
    hosts,
    network: { ...network('macvlan', { parent: 'eth0' }), internal: true },
    endpoints: ipv4,
  },
];

export const ipvlanCases: readonly OverlayCase[] = [
  {
    name: 'l2',
    title: 'On the segment of a link of each host, with its MAC address',
    hosts,
    network: network('ipvlan', { parent: 'eth0' }),
    endpoints: ipv4.map(withoutMac),
  },
  {
    name: 'l3-private',
    title: 'Routed by the link, endpoints apart; both families',
    hosts,
    network: network('ipvlan', { parent: 'eth0', ipvlan_mode: 'l3', ipvlan_flag: 'private' }, [
      '10.0.1.0/24',
      'fd00:1::/64',
    ]),
    endpoints: both.map(withoutMac),
  },
  {
    name: 'vlan-l3s-vepa',
    title: 'On a VLAN of a link, seen by netfilter, and reaching each other by the switch alone',
    hosts,
    network: network('ipvlan', { parent: 'eth0.50', ipvlan_mode: 'l3s', ipvlan_flag: 'vepa' }),
    endpoints: ipv4.map(withoutMac),
  },
];
