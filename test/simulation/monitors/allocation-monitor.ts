/**
 * Who is given which IPv4 address, judged by a naive allocator that knows no pools: the subnets, gateways, auxiliary
 * addresses and endpoints of the state, counted one by one.
 */
import type { Change } from '../../../core/fold/change.ts';
import type { State } from '../../../core/fold/state.ts';
import type { LogRecord } from '../../../core/log/record.ts';
import { addressOf, familyOf, type IpAddress } from '../../../core/model/address.ts';
import type { Network, Subnet } from '../../../core/model/network.ts';
import { numberOf, sharersOf, takenIn } from './pool-room.ts';

type Fault = readonly [invariant: string, seen: string];

export class AllocationMonitor {
  /** The last address that was given without being asked for, by space and prefix. */
  readonly #last = new Map<string, number>();

  /** What is wrong with the addresses that an accepted record gave. @param before the state that it met */
  take(before: State, record: LogRecord, changes: readonly Change[]): Fault | undefined {
    let fault: Fault | undefined;
    for (const change of changes) {
      if (change.type === 'network-added') fault ??= this.#ofNetwork(before, record, change.network);
      if (change.type !== 'endpoint-added') continue;
      const { endpoint } = change;
      const network = before.networks.get(endpoint.network);
      if (network === undefined || record.kind !== 'endpoint-create') continue;
      const { ifname, avoid } = record.body;
      if (ifname === undefined && avoid.includes(endpoint.ifname ?? ''))
        fault ??= ['I17', `${endpoint.ifname} was given, which others have in the sandbox`];
      for (const address of endpoint.addresses.map(addressOf)) {
        if (familyOf(address) === 4)
          fault ??= this.#ofEndpoint(before, network, address, record.body.ipv4 === undefined);
      }
    }
    return fault;
  }

  #ofEndpoint(before: State, network: Network, address: IpAddress, isAutomatic: boolean): Fault | undefined {
    const value = numberOf(address);
    const subnet = network.subnets.find((each) => familyOf(each.prefix) === 4 && isIn(each, value));
    if (subnet === undefined) return ['I15', `${address} was given, which is in no subnet of its network`];
    const taken = takenIn(before, network.space, subnet.prefix);
    if (taken.has(value)) return ['I13', `${address} was given, which is taken or reserved`];
    return isAutomatic ? this.#inTurn(network.space, subnet, value, taken) : undefined;
  }

  #ofNetwork(before: State, record: LogRecord, network: Network): Fault | undefined {
    if (record.kind !== 'network-create') return undefined;
    for (const subnet of network.subnets) {
      if (familyOf(subnet.prefix) !== 4) continue;
      const isShared = sharersOf(before, network.space).some(({ subnets }) =>
        subnets.some(({ prefix }) => prefix === subnet.prefix),
      );
      if (!isShared) this.#last.delete(keyOf(network.space, subnet));
      if (
        record.body.subnets.some(({ prefix, gateway }) => prefix === subnet.prefix && gateway !== undefined)
      )
        continue;
      const taken = takenIn(before, network.space, subnet.prefix);
      for (const { address } of subnet.aux) taken.add(numberOf(address));
      const value = numberOf(subnet.gateway);
      if (taken.has(value)) return ['I13', `gateway ${subnet.gateway} is taken or reserved`];
      const fault = this.#inTurn(network.space, subnet, value, taken);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  /** The next free one after the last that was given, around the subnet, so that what was freed rests. */
  #inTurn(space: string, subnet: Subnet, value: number, taken: ReadonlySet<number>): Fault | undefined {
    if (subnet.range !== undefined) return undefined;
    const key = keyOf(space, subnet);
    const { first, size } = rangeOf(subnet);
    const after = (this.#last.get(key) ?? first + size - 1) - first;
    this.#last.set(key, value);
    for (let step = 1; step <= size; step += 1) {
      const next = first + ((after + step) % size);
      if (taken.has(next)) continue;
      if (next === value) return undefined;
      return ['I19', `${value - first} was given in ${subnet.prefix}, and ${next - first} was next`];
    }
    return ['I18', `${value} was given in ${subnet.prefix}, which is full`];
  }
}

function keyOf(space: string, { prefix }: Subnet): string {
  return `${space.toLowerCase()} ${prefix}`;
}

function rangeOf({ prefix }: Subnet): { readonly first: number; readonly size: number } {
  const [base = '', bits = ''] = prefix.split('/');
  return { first: numberOf(base), size: 2 ** (32 - Number(bits)) };
}

function isIn(subnet: Subnet, value: number): boolean {
  const { first, size } = rangeOf(subnet);
  return value >= first && value < first + size;
}
