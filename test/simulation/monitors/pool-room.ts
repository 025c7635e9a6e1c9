/** Whether a network has an address left, counted the slow way: one address after the other. */
import type { State } from '../../../core/fold/state.ts';
import { addressOf, familyOf } from '../../../core/model/address.ts';
import type { Network, Subnet } from '../../../core/model/network.ts';

/** True when no IPv4 subnet of the network has a free address. Subnets of another kind count as full. */
export function isPoolFull(state: State, network: Network): boolean {
  return network.subnets.every((subnet) => !hasRoom(state, network, subnet));
}

function hasRoom(state: State, network: Network, subnet: Subnet): boolean {
  const [base = '', bits = ''] = subnet.prefix.split('/');
  if (familyOf(subnet.prefix) !== 4 || subnet.range !== undefined || Number(bits) > 30) return false;
  const taken = takenIn(state, network.space, subnet.prefix);
  const size = 2 ** (32 - Number(bits));
  for (let offset = 0; offset < size; offset++) if (!taken.has(numberOf(base) + offset)) return true;
  return false;
}

/** The networks of an address space. */
export function sharersOf(state: State, space: string): readonly Network[] {
  return [...state.networks.values()].filter((other) => other.space.toLowerCase() === space.toLowerCase());
}

/** The IPv4 addresses of a space that nobody can be given, with the two that are reserved in the prefix, up to /30. */
export function takenIn(state: State, space: string, prefix: Subnet['prefix']): Set<number> {
  const [base = '', bits = ''] = prefix.split('/');
  const size = 2 ** (32 - Number(bits));
  const taken = new Set<number>([0, size - 1].map((offset) => numberOf(base) + offset));
  const sharers = sharersOf(state, space);
  for (const sharer of sharers) {
    for (const other of sharer.subnets) {
      for (const address of [other.gateway, ...other.aux.map((aux) => aux.address)])
        taken.add(numberOf(address));
    }
  }
  const ids = new Set(sharers.map(({ id }) => id));
  for (const endpoint of state.endpoints.values()) {
    if (!ids.has(endpoint.network)) continue;
    for (const address of endpoint.addresses) taken.add(numberOf(addressOf(address)));
  }
  return taken;
}

export function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
