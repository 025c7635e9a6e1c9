/** What clients ask for: few names, small pools, and now and then what can never be. */
import type { EndpointRequest, NetworkRequest } from '../../../core/controller/control.ts';
import type { RecordKind } from '../../../core/log/record.ts';
import { listenedPort, sandboxes } from '../kernel/foreign-actor.ts';
import type { RequestDoing } from '../scenario/intervention.ts';
import type { Chance } from '../world/chance.ts';

export type RequestKind = RequestDoing['verb'];

export const requestWeights: Readonly<Record<RequestKind, number>> = {
  'create-network': 6,
  'remove-network': 3,
  connect: 16,
  disconnect: 6,
  'remove-endpoint': 4,
  'remove-host': 0.4,
};

export const recordKinds: Readonly<Record<RequestKind, RecordKind>> = {
  'create-network': 'network-create',
  'remove-network': 'network-remove',
  connect: 'endpoint-create',
  disconnect: 'endpoint-remove',
  'remove-endpoint': 'endpoint-remove',
  'remove-host': 'host-remove',
};

const networkNames = ['red', 'blue', 'green', 'Red', '-no-name-'] as const;
/** Several share a subnet, some overlap another, one is none. */
const prefixes = ['10.0.1.0/29', '10.0.1.0/29', '10.0.1.0/28', '10.0.2.0/28', '10.0.3.0/30', '10.0.1.3/29'];
/** Some are those that weft derives from addresses of these pools; some can never be. */
const macs = [2, 3, 4, 5].map((host) => `02:42:0a:00:01:0${host}`).concat('ff:ff:ff:ff:ff:ff', 'no');
/** Every host has eth0; loopback is no parent. One that a host lacks would be tried for as long as the host lives. */
const parents = ['eth0', 'eth0', 'eth0.50', 'lo'];
const macvlanModes = ['private', 'vepa', 'odd'];
/** Of few ports of the host; at one of them something listens, one is none. */
const ports = [
  '8080:80',
  '8080:80',
  '127.0.0.1:8080:80',
  '127.0.0.1:8080:80',
  '8080-8082:80',
  '80',
  '53/udp',
  `${listenedPort}:80`,
  '70000:80',
];
/** By machines that some networks have room for; one is of a network itself, one is none. */
const staticRoutes = [
  '10.9.0.0/16,10.0.1.6',
  '10.9.0.0/16,10.0.2.9',
  '10.9.0.0/16',
  '10.8.7.6/32',
  'fd00:9::/64',
  '10.0.1.0/29',
  'anywhere',
];
const routers = ['10.0.1.5', '10.0.2.9', '10.9.9.9'];

/** What a client asks of a host. @param hosts names of those that it may want removed */
export function drawRequest(
  kind: RequestKind,
  asked: { readonly host: string; readonly cancel: number | undefined },
  hosts: readonly string[],
  chance: Chance,
): RequestDoing {
  const network = networkName(chance);
  switch (kind) {
    case 'create-network':
      return { verb: kind, ...asked, ...drawNetwork(chance) };
    case 'remove-network':
      return { verb: kind, ...asked, network };
    case 'connect':
      return { verb: kind, ...asked, network, ...drawEndpoint(chance) };
    case 'disconnect':
      return {
        verb: kind,
        ...asked,
        network,
        ref: chance.happens(0.5) ? sandboxName(chance) : endpointName(chance),
      };
    case 'remove-endpoint':
      return { verb: kind, ...asked, which: chance.part() };
    case 'remove-host':
      return { verb: kind, ...asked, name: chance.pick(hosts) };
  }
}

type NetworkDoing = Extract<RequestDoing, { verb: 'create-network' }>;
type EndpointDoing = Extract<RequestDoing, { verb: 'connect' }>;

export function networkRequest(doing: Omit<NetworkDoing, 'verb' | 'host' | 'cancel'>): NetworkRequest {
  const { name, driver, pool, router, ipv6, internal, space, vni, parent, mode } = doing;
  return {
    name,
    driver,
    subnets: pool === undefined ? [] : [{ prefix: pool, aux: router === undefined ? {} : { router } }],
    ipv6: ipv6 === 'yes',
    internal: internal === 'yes',
    space,
    options: {
      ...(vni === undefined ? {} : { vni }),
      ...(parent === undefined ? {} : { parent }),
      ...(mode === undefined ? {} : { macvlan_mode: mode }),
    },
    labels: {},
  };
}

export function endpointRequest({
  sandbox,
  name,
  alias,
  ipv4,
  mac,
  ifname,
  ports,
  route,
}: EndpointDoing): EndpointRequest {
  return {
    sandbox,
    aliases: alias === undefined ? [] : [alias],
    ...(name === undefined ? {} : { name }),
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(mac === undefined ? {} : { mac }),
    ...(ifname === undefined ? {} : { ifname }),
    ...(ports === undefined ? {} : { ports: [ports] }),
    ...(route === undefined ? {} : { routes: [route] }),
  };
}

function drawNetwork(chance: Chance) {
  const pool = chance.happens(0.2) ? undefined : chance.pick(prefixes);
  const driver = drawDriver(chance);
  const isStacked = driver === 'macvlan' || driver === 'ipvlan';
  return {
    name: networkName(chance),
    driver,
    parent: isStacked && chance.happens(0.8) ? chance.pick(parents) : undefined,
    mode: driver === 'macvlan' && chance.happens(0.3) ? chance.pick(macvlanModes) : undefined,
    pool,
    router: pool !== undefined && chance.happens(0.1) ? chance.pick(routers) : undefined,
    ipv6: chance.happens(0.1) ? ('yes' as const) : undefined,
    internal: chance.happens(0.15) ? ('yes' as const) : undefined,
    space: chance.happens(0.8) ? 'default' : 'tenant',
    vni: chance.happens(0.05) ? '300' : undefined,
  };
}

function drawDriver(chance: Chance): string {
  if (chance.happens(0.7)) return 'overlay';
  if (chance.happens(0.8)) return chance.pick(['macvlan', 'ipvlan', 'bridge', 'bridge']);
  return chance.pick(['null', 'no-such-driver']);
}

function drawEndpoint(chance: Chance) {
  return {
    sandbox: sandboxName(chance),
    alias: chance.happens(0.1) ? 'shared' : undefined,
    name: chance.happens(0.6) ? endpointName(chance) : undefined,
    ipv4: chance.happens(0.15) ? `10.0.1.${chance.below(9)}` : undefined,
    mac: chance.happens(0.1) ? chance.pick(macs) : undefined,
    ifname: chance.happens(0.05) ? chance.pick(['web0', 'eth0', 'a/b']) : undefined,
    ports: chance.happens(0.25) ? chance.pick(ports) : undefined,
    route: chance.happens(0.15) ? chance.pick(staticRoutes) : undefined,
  };
}

function networkName(chance: Chance): string {
  return chance.happens(0.95) ? chance.pick(networkNames.slice(0, 3)) : chance.pick(networkNames);
}

function endpointName(chance: Chance): string {
  return chance.pick(['web', 'db', 'cache', 'mail', 'a b']);
}

function sandboxName(chance: Chance): string {
  return chance.happens(0.95) ? chance.pick(sandboxes) : chance.pick(['nowhere', 'pid:1', '../x']);
}
