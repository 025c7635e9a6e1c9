/**
 * Networks with their hosts and endpoints, for the goldens of the overlay driver (`drivers/overlay/testdata`) and for
 * running the same commands on a real kernel.
 */
import { keyOf } from '../../core/dataplane/key.ts';
import type { KernelObject } from '../../core/dataplane/object.ts';
import { compareForApply } from '../../core/dataplane/order.ts';
import type { Driver, HostView } from '../../core/driver/driver.ts';
import { hasWayOut } from '../../core/fold/driver-traits.ts';
import {
  addressFromBigInt,
  addressOf,
  boundsOf,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  type Prefix,
} from '../../core/model/address.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Host } from '../../core/model/host.ts';
import type { EndpointId, NetworkId } from '../../core/model/ids.ts';
import { type Mac, macOfAddress } from '../../core/model/mac.ts';
import type { Network, Subnet } from '../../core/model/network.ts';
import type { Stamp } from '../../core/model/stamp.ts';

export interface OverlayCase {
  /** The golden's file name without its ending. */
  readonly name: string;
  readonly title: string;
  readonly hosts: readonly Host[];
  readonly acceptsInForeignChains?: boolean;
  readonly network: Network;
  readonly endpoints: readonly Endpoint[];
}

const stamp: Stamp = { ordinal: 1, host: 'etcdmaster', by: 'uid:0', at: 0 };
const stamps = { created: stamp, changed: stamp };

export function testHost(name: string, address: string, mtu = 1500): Host {
  const identity = '0'.repeat(32);
  const life = { epoch: 1, joined: stamp.ordinal, isDown: false };
  return { name, address: address as IpAddress, identity, mtu, version: '0.1.0', ...life, ...stamps };
}

/** @param subnets their gateways are their first addresses */
export function testOverlay(
  subnets: readonly string[],
  options: Readonly<Record<string, string>> = {},
): Network {
  return {
    id: 'f5ce773b3f'.padEnd(64, '0') as NetworkId,
    name: 'overlayred',
    driver: 'overlay',
    vni: 256,
    subnets: subnets.map((prefix) => testSubnet(prefix as Prefix)),
    ipv6: subnets.some((prefix) => prefix.includes(':')),
    space: 'default',
    internal: false,
    options,
    labels: {},
    ...stamps,
  };
}

function testSubnet(prefix: Prefix): Subnet {
  return { prefix, gateway: addressFromBigInt(boundsOf(prefix).first + 1n, familyOf(prefix)), aux: [] };
}

/** An endpoint in the sandbox `ref`, with `eth0`; its MAC is derived from its IPv4 address where it has one. */
export function testEndpoint(digit: number, host: string, ref: string, ...addresses: string[]): Endpoint {
  const own = addresses as InterfaceAddress[];
  const ipv4 = own.find((address) => familyOf(address) === 4);
  const mac =
    (ipv4 === undefined ? undefined : macOfAddress(addressOf(ipv4))) ?? (`02:42:00:00:00:0${digit}` as Mac);
  return {
    id: `${digit}e9d3c1a7b5`.padEnd(64, `${digit}`) as EndpointId,
    network: testOverlay([]).id,
    name: ref,
    aliases: [],
    host,
    sandbox: { ref, identity: 'test' },
    ifname: 'eth0',
    mac,
    addresses: own,
    ...stamps,
  };
}

function withoutName({ name: _name, ...endpoint }: Endpoint): Endpoint {
  return endpoint;
}

const master = testHost('etcdmaster', '192.168.2.15');
const minion = testHost('minion', '192.168.2.200');

export const overlayCases: readonly OverlayCase[] = [
  {
    name: 'two-hosts',
    title: 'One endpoint on each of two hosts, IPv4',
    hosts: [master, minion],
    network: testOverlay(['10.0.1.0/24']),
    endpoints: [
      testEndpoint(1, 'etcdmaster', 'red', '10.0.1.2/24'),
      testEndpoint(2, 'minion', 'blue', '10.0.1.3/24'),
    ],
  },
  {
    name: 'dual-stack',
    title: 'IPv4 and IPv6, two endpoints on one host',
    hosts: [master, minion],
    network: testOverlay(['10.0.1.0/24', 'fd00:1::/64']),
    endpoints: [
      testEndpoint(1, 'etcdmaster', 'red', '10.0.1.2/24', 'fd00:1::2/64'),
      testEndpoint(2, 'minion', 'blue', '10.0.1.3/24', 'fd00:1::3/64'),
      testEndpoint(3, 'etcdmaster', 'green', '10.0.1.4/24', 'fd00:1::4/64'),
    ],
  },
  {
    name: 'several-subnets',
    title: 'Several subnets of both families, routed by the gateway on each host',
    hosts: [master, minion],
    network: testOverlay(['10.0.1.0/24', '10.0.2.0/24', 'fd00:1::/64', 'fd00:2::/64']),
    endpoints: [
      testEndpoint(1, 'etcdmaster', 'red', '10.0.1.2/24', 'fd00:1::2/64'),
      testEndpoint(2, 'minion', 'blue', '10.0.2.2/24', 'fd00:2::2/64'),
    ],
  },
  {
    name: 'ipv6-underlay',
    title: 'IPv4 over an IPv6 underlay: 20 bytes less for the frame',
    hosts: [testHost('etcdmaster', 'fd02::15'), testHost('minion', 'fd02::200')],
    network: testOverlay(['10.0.1.0/24']),
    endpoints: [
      testEndpoint(1, 'etcdmaster', 'red', '10.0.1.2/24'),
      testEndpoint(2, 'minion', 'blue', '10.0.1.3/24'),
    ],
  },
  {
    name: 'custom-mtu',
    title: 'The MTU is given',
    hosts: [master, minion],
    network: testOverlay(['10.0.1.0/24'], { 'com.docker.network.driver.mtu': '1400' }),
    endpoints: [
      testEndpoint(1, 'etcdmaster', 'red', '10.0.1.2/24'),
      testEndpoint(2, 'minion', 'blue', '10.0.1.3/24'),
    ],
  },
  {
    name: 'ipv6-only-no-name',
    title: 'IPv6 alone, and endpoints without names',
    hosts: [master, minion],
    network: testOverlay(['fd00:1::/64']),
    endpoints: [
      withoutName(testEndpoint(1, 'etcdmaster', 'red', 'fd00:1::2/64')),
      withoutName(testEndpoint(2, 'minion', 'blue', 'fd00:1::3/64')),
    ],
  },
];

/** Sandboxes have their default route through the network where it leads out at all; through whatever is asked where none is given. */
export function viewOf(
  {
    hosts,
    acceptsInForeignChains = false,
    network,
  }: Pick<OverlayCase, 'hosts' | 'acceptsInForeignChains'> & Partial<Pick<OverlayCase, 'network'>>,
  self: Host,
  netnsPrefix = 'weft-',
): HostView {
  return {
    self,
    netnsPrefix,
    host: (name) => hosts.find((host) => host.name === name),
    acceptsInForeignChains,
    acceptsForeignVteps: false,
    isGateway: () => network === undefined || hasWayOut(network),
    portsLeadingTo: ({ ports = [] }) => ports,
  };
}

/** What the host needs for the whole case, each object once, in the order of application. */
export function compileCase(driver: Driver, given: OverlayCase, view: HostView): KernelObject[] {
  const objects = [
    ...driver.compileNetwork(given.network, view),
    ...given.endpoints.flatMap((endpoint) => driver.compileEndpoint(given.network, endpoint, view)),
    ...given.hosts.flatMap((host) => driver.compileHost?.(host, view) ?? []),
  ];
  return [...new Map(objects.map((object) => [keyOf(object), object])).values()].sort(compareForApply);
}
