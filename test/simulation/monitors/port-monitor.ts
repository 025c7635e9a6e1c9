/**
 * That no port of a host is given twice, nor one that something else listens at: judged by comparing every two ports of
 * the state, without an index, and by texts alone.
 */
import type { Change } from '../../../core/fold/change.ts';
import type { State } from '../../../core/fold/state.ts';
import type { LogRecord } from '../../../core/log/record.ts';
import type { Endpoint } from '../../../core/model/endpoint.ts';

type Fault = readonly [invariant: string, seen: string];

interface Place {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
}

/** What is wrong with the ports that an accepted record gave. @param before the state that it met */
export function portFault(before: State, record: LogRecord, changes: readonly Change[]): Fault | undefined {
  if (record.kind !== 'endpoint-create') return undefined;
  for (const change of changes) {
    if (change.type !== 'endpoint-added') continue;
    const { endpoint } = change;
    const others = [...before.endpoints.values()].filter(({ host }) => host === endpoint.host);
    const taken = [...(record.body.listeners ?? []), ...others.flatMap(placesOf)];
    for (const [at, place] of placesOf(endpoint).entries()) {
      const twin = [...taken, ...placesOf(endpoint).slice(at + 1)].find((each) => meets(place, each));
      if (twin !== undefined)
        return ['I47', `port ${textOf(place)} of ${endpoint.host} is given, and ${textOf(twin)} is taken`];
    }
  }
  return undefined;
}

function placesOf({ ports = [] }: Endpoint): Place[] {
  return ports.map(({ protocol, address, hostPort }) => ({ protocol, address, port: hostPort }));
}

function meets(a: Place, b: Place): boolean {
  if (a.protocol !== b.protocol || a.port !== b.port) return false;
  if (a.address.includes(':') !== b.address.includes(':')) return false;
  const everywhere = a.address.includes(':') ? '::' : '0.0.0.0';
  return a.address === b.address || a.address === everywhere || b.address === everywhere;
}

function textOf({ protocol, address, port }: Place): string {
  return `${address} ${port}/${protocol}`;
}
