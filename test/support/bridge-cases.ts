/** Bridge networks with endpoints of one host, for the goldens of the bridge driver (`drivers/bridge/testdata`). */

import { gatewayNetworkId, gatewayNetworkOn } from '../../core/fold/gateway-network.ts';
import { predefinedNetworks } from '../../core/fold/predefined.ts';
import { assert } from '../../core/lib/assert.ts';
import type { IpAddress, Prefix } from '../../core/model/address.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Network } from '../../core/model/network.ts';
import { everyAddress, type PortProtocol, type PublishedPort } from '../../core/model/published-port.ts';
import { type OverlayCase, testEndpoint, testHost, testOverlay } from './overlay-cases.ts';

const master = testHost('etcdmaster', '192.168.2.15');
const minion = testHost('minion', '192.168.2.200');
const docker = 'com.docker.network';

/** @param subnets their gateways are their first addresses */
export function testBridge(
  subnets: readonly string[],
  options: Readonly<Record<string, string>> = {},
  rest: Partial<Network> = {},
): Network {
  const { vni: _vni, ...network } = testOverlay(subnets, options);
  return { ...network, name: 'bridgered', driver: 'bridge', space: 'local', ...rest };
}

function published(protocol: PortProtocol, address: string, hostPort: number, port: number): PublishedPort {
  return { protocol, address: address as IpAddress, hostPort, port };
}

const red = testEndpoint(1, 'etcdmaster', 'red', '172.18.0.2/16');
const blue = testEndpoint(2, 'etcdmaster', 'blue', '172.18.0.3/16');

/** The gateway bridge as `etcdmaster` has it. */
function gatewayBridge(ipv6: boolean): Network {
  const network = predefinedNetworks.find(({ id }) => id === gatewayNetworkId);
  assert(network !== undefined, 'the gateway network is predefined');
  return gatewayNetworkOn(network, { gatewaySubnet: '192.168.240.0/20' as Prefix }, ipv6);
}

export const bridgeCases: readonly OverlayCase[] = [
  {
    name: 'plain',
    title: 'Two endpoints on one host, and one on another, which has a bridge of its own',
    hosts: [master, minion],
    network: testBridge(['172.18.0.0/16']),
    endpoints: [red, blue, testEndpoint(3, 'minion', 'green', '172.18.0.4/16')],
  },
  {
    name: 'dual-stack',
    title: 'IPv4 and IPv6, each with the host as its router and in its name outside',
    hosts: [master],
    network: testBridge(['172.18.0.0/16', 'fd00:1::/64']),
    endpoints: [testEndpoint(1, 'etcdmaster', 'red', '172.18.0.2/16', 'fd00:1::2/64')],
  },
  {
    name: 'open',
    title: 'Neither family in the name of the host outside, and all ports of the endpoints are open',
    hosts: [master],
    network: testBridge(['172.18.0.0/16', 'fd00:1::/64'], {
      [`${docker}.bridge.gateway_mode_ipv4`]: 'nat-unprotected',
      [`${docker}.bridge.gateway_mode_ipv6`]: 'nat-unprotected',
      [`${docker}.bridge.enable_ip_masquerade`]: 'false',
    }),
    endpoints: [testEndpoint(1, 'etcdmaster', 'red', '172.18.0.2/16', 'fd00:1::2/64')],
  },
  {
    name: 'beside-another-firewall',
    title: 'On a host where weft may add its rule to chains of other firewalls',
    hosts: [master],
    acceptsInForeignChains: true,
    network: testBridge(['172.18.0.0/16']),
    endpoints: [red],
  },
  {
    name: 'settings',
    title: 'Link-local addresses beside the others, settings of the interface, and static routes',
    hosts: [master],
    network: testBridge(['172.18.0.0/16', 'fd00:1::/64']),
    endpoints: [
      {
        ...testEndpoint(1, 'etcdmaster', 'red', '172.18.0.2/16', 'fd00:1::2/64'),
        linkLocal: ['169.254.8.8/16', 'fe80::8/64'] as unknown as NonNullable<Endpoint['linkLocal']>,
        sysctls: [
          { name: 'net/ipv4/conf/eth0/log_martians', value: '1' },
          { name: 'net/ipv6/conf/eth0/accept_ra', value: '2' },
        ],
        routes: [
          { destination: '10.9.0.0/16', via: '172.18.0.254' },
          { destination: '198.51.100.7/32' },
          { destination: 'fd00:9::/64', via: 'fd00:1::fe' },
        ] as unknown as NonNullable<Endpoint['routes']>,
      },
    ],
  },
  {
    name: 'internal',
    title: 'No way out',
    hosts: [master],
    network: testBridge(['172.18.0.0/16'], {}, { internal: true }),
    endpoints: [red, blue],
  },
  {
    name: 'isolated',
    title: 'No way out, and not even the host has an address',
    hosts: [master],
    network: testBridge(
      ['172.18.0.0/16', 'fd00:1::/64'],
      {
        [`${docker}.bridge.gateway_mode_ipv4`]: 'isolated',
        [`${docker}.bridge.gateway_mode_ipv6`]: 'isolated',
      },
      { internal: true },
    ),
    endpoints: [testEndpoint(1, 'etcdmaster', 'red', '172.18.0.2/16', 'fd00:1::2/64'), blue],
  },
  {
    name: 'no-neighbours',
    title: 'Endpoints do not reach each other, and have another MTU',
    hosts: [master],
    network: testBridge(['172.18.0.0/16'], {
      [`${docker}.bridge.enable_icc`]: 'false',
      [`${docker}.driver.mtu`]: '1400',
    }),
    endpoints: [red, blue],
  },
  {
    name: 'published',
    title: 'Ports of the host lead to an endpoint: at all its addresses, at one of each family, and a range',
    hosts: [master],
    network: testBridge(['172.18.0.0/16', 'fd00:1::/64']),
    endpoints: [
      {
        ...testEndpoint(1, 'etcdmaster', 'red', '172.18.0.2/16', 'fd00:1::2/64'),
        ports: [
          published('tcp', '0.0.0.0', 8080, 80),
          published('tcp', '::', 8080, 80),
          published('udp', '192.168.2.15', 53, 5353),
          published('sctp', 'fd00::15', 9000, 9),
          published('tcp', '127.0.0.1', 7000, 70),
          published('tcp', '127.0.0.1', 7001, 71),
        ],
      },
    ],
  },
  {
    name: 'routed',
    title: "Ports are reached at the endpoint's own addresses, which it has outside too",
    hosts: [master],
    network: testBridge(['172.18.0.0/16', 'fd00:1::/64'], {
      [`${docker}.bridge.gateway_mode_ipv4`]: 'routed',
      [`${docker}.bridge.gateway_mode_ipv6`]: 'routed',
    }),
    endpoints: [
      {
        ...testEndpoint(1, 'etcdmaster', 'red', '172.18.0.2/16', 'fd00:1::2/64'),
        ports: [published('tcp', '172.18.0.2', 80, 80), published('tcp', 'fd00:1::2', 80, 80)],
      },
    ],
  },
  {
    name: 'other-gateway',
    title:
      "A bridge with a name of the user's, without an address of its own, whose router is another machine",
    hosts: [master],
    network: testBridge(
      [],
      { [`${docker}.bridge.name`]: 'lan', [`${docker}.bridge.inhibit_ipv4`]: 'true' },
      {
        subnets: [
          {
            prefix: '172.18.0.0/16',
            gateway: '172.18.0.1',
            aux: [{ name: 'DefaultGatewayIPv4', address: '172.18.0.254' }],
          },
        ] as unknown as Network['subnets'],
      },
    ),
    endpoints: [red],
  },
  {
    name: 'gateway',
    title: 'The way out of two sandboxes that are on overlays, one of them with a published port',
    hosts: [master],
    network: gatewayBridge(false),
    endpoints: [
      {
        ...testEndpoint(1, 'etcdmaster', 'red', '192.168.240.2/20'),
        ifname: 'eth1',
        ports: [{ protocol: 'tcp', address: everyAddress(4), hostPort: 8080, port: 80 }],
      },
      { ...testEndpoint(2, 'etcdmaster', 'blue', '192.168.240.3/20'), ifname: 'eth1' },
    ],
  },
  {
    name: 'gateway-dual-stack',
    title: 'The way out of a sandbox that is on an overlay with IPv6',
    hosts: [master],
    network: gatewayBridge(true),
    endpoints: [
      {
        ...testEndpoint(1, 'etcdmaster', 'red', '192.168.240.2/20', 'fd03:3bfc:87f5::2/64'),
        ifname: 'eth1',
      },
    ],
  },
];
