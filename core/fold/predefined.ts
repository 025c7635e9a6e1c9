/**
 * The networks that every cluster has before its first record, as Docker's users expect them: they can be neither made
 * nor removed. Part of the rules of the log, so that every host begins with the same ones: the table changes with the
 * version of the schema, never with a release.
 *
 * Their ids follow from their names and are the same in all clusters.
 */
import type { IpAddress, Prefix } from '../model/address.ts';
import { predefinedNetworkIdOf } from '../model/ids.ts';
import { defaultSpace, type Network, predefinedStamp } from '../model/network.ts';
import { joinPool, takeAddress } from './allocation.ts';
import { bridgeNameOption, iccOption } from './bridge-options.ts';
import { Draft } from './draft.ts';
import { gatewayIpv6Subnet, gatewayNetworkName, localSpace } from './gateway-network.ts';
import { emptyRecordHash } from './hash.ts';
import { emptyState, type State } from './state.ts';

export const predefinedNetworks: readonly Network[] = [
  {
    ...predefined('bridge'),
    driver: 'bridge',
    // Docker's subnet. Not Docker's bridge, docker0, which may be there.
    subnets: [{ prefix: '172.17.0.0/16' as Prefix, gateway: '172.17.0.1' as IpAddress, aux: [] }],
    space: localSpace,
    options: { [bridgeNameOption]: 'weft0' },
  },
  {
    ...predefined(gatewayNetworkName),
    driver: 'bridge',
    // IPv4 subnets of it are each host's own.
    subnets: [gatewayIpv6Subnet],
    ipv6: true,
    space: localSpace,
    options: { [bridgeNameOption]: gatewayNetworkName, [iccOption]: 'false' },
  },
  { ...predefined('host'), driver: 'host' },
  { ...predefined('none'), driver: 'null' },
];

/** One for all: nobody writes to it. */
const initial: State = makeInitialState();

/** The state before the first record. */
export function initialState(): State {
  return initial;
}

function makeInitialState(): State {
  const draft = new Draft(emptyState());
  for (const network of predefinedNetworks) {
    for (const subnet of network.subnets) {
      joinPool(draft, network.space, subnet);
      takeAddress(draft, network.space, subnet.prefix, subnet.gateway);
    }
    draft.addNetwork(network);
  }
  return draft.finish(0, emptyRecordHash);
}

function predefined(name: string): Omit<Network, 'driver'> {
  return {
    id: predefinedNetworkIdOf(name),
    name,
    subnets: [],
    ipv6: false,
    space: defaultSpace,
    internal: false,
    options: {},
    labels: {},
    created: predefinedStamp,
    changed: predefinedStamp,
  };
}
