/** What clients ask for: few names, small pools, and now and then what can never be. */
import type { EndpointRequest, NetworkRequest } from '../../../core/controller/control.ts';
import type { RecordKind } from '../../../core/log/record.ts';
import { sandboxes } from '../kernel/foreign-actor.ts';
import type { Chance } from '../world/chance.ts';

export type RequestKind =
  | 'create-network'
  | 'remove-network'
  | 'connect'
  | 'disconnect'
  | 'remove-endpoint'
  | 'remove-host';

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

export function networkRequest(chance: Chance): NetworkRequest {
  const subnets = chance.happens(0.2) ? [] : [{ prefix: chance.pick(prefixes), aux: auxOf(chance) }];
  return {
    name: networkName(chance),
    driver: chance.happens(0.9) ? 'overlay' : chance.pick(['null', 'no-such-driver']),
    subnets,
    ipv6: chance.happens(0.1),
    internal: false,
    space: chance.happens(0.8) ? 'default' : 'tenant',
    options: chance.happens(0.05) ? { vni: '300' } : {},
    labels: {},
  };
}

export function networkName(chance: Chance): string {
  return chance.happens(0.95) ? chance.pick(networkNames.slice(0, 3)) : chance.pick(networkNames);
}

export function endpointRequest(chance: Chance): EndpointRequest {
  return {
    sandbox: sandboxName(chance),
    aliases: chance.happens(0.1) ? ['shared'] : [],
    ...(chance.happens(0.6) ? { name: endpointName(chance) } : {}),
    ...(chance.happens(0.15) ? { ipv4: `10.0.1.${chance.below(9)}` } : {}),
    ...(chance.happens(0.05) ? { mac: chance.pick(['02:42:0a:00:01:02', 'ff:ff:ff:ff:ff:ff', 'no']) } : {}),
    ...(chance.happens(0.05) ? { ifname: chance.pick(['web0', 'eth0', 'a/b']) } : {}),
  };
}

export function endpointName(chance: Chance): string {
  return chance.pick(['web', 'db', 'cache', 'mail', 'a b']);
}

export function sandboxName(chance: Chance): string {
  return chance.happens(0.95) ? chance.pick(sandboxes) : chance.pick(['nowhere', 'pid:1', '../x']);
}

function auxOf(chance: Chance): Readonly<Record<string, string>> {
  return chance.happens(0.1) ? { router: chance.pick(['10.0.1.5', '10.0.2.9', '10.9.9.9']) } : {};
}
