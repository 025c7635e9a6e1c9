/**
 * A state as lines of text, and back (`read-snapshot.ts`): what a host that comes late begins from instead of the whole
 * log.
 *
 * Vocabulary: a *snapshot* is a state at an ordinal; its *lines* are canonical JSON, one object a line; its *manifest*
 * (`manifest.ts`) says which entry of the log it includes last, and in which chunks it lies in the store.
 *
 * Two hosts at one ordinal write the same lines, byte for byte. Derived indexes are not in it.
 */

import type { State } from '../fold/state.ts';
import type { Cursor, Pool } from '../ipam/pool.ts';
import { type CanonicalValue, canonicalJson } from '../lib/canonical-json.ts';
import type { Table } from '../lib/table.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { RecordId } from '../model/ids.ts';
import type { Network } from '../model/network.ts';
import type { Stamp } from '../model/stamp.ts';
import type { LineOf, SnapshotLine } from './snapshot-schema.ts';

/** Ids in one line: long enough to cost little, short enough for a line to be read whole. */
const recordsPerLine = 1_000;

/** The lines, without their newlines. Lazily: nobody holds the whole text. */
export function* snapshotLines(state: State): IterableIterator<string> {
  let lines = 0;
  for (const line of partsOf(state)) {
    lines += 1;
    yield canonicalJson(line as CanonicalValue);
  }
  yield canonicalJson({ kind: 'end', lines } satisfies LineOf<'end'>);
}

function* partsOf(state: State): IterableIterator<SnapshotLine> {
  yield {
    kind: 'snapshot',
    v: 1,
    ordinal: state.ordinal,
    recordHash: state.recordHash,
    stateHash: state.stateHash,
    vniCursor: String(state.vniCursor),
    epochFloor: state.epochFloor,
  };
  for (const host of state.hosts.values()) yield { kind: 'host', ...withStamps(host) };
  for (const [name, removed] of state.removedHosts.entries())
    yield { kind: 'removed-host', name, ...removed };
  for (const log of state.course.past) yield { kind: 'past-log', ...log };
  const { present } = state.course;
  if (present !== undefined) yield { kind: 'present-log', logId: present };
  if (state.course.next !== undefined) yield { kind: 'next-log', ...state.course.next };
  yield* spacesOf(state);
  for (const network of state.networks.values()) yield networkLine(network);
  for (const endpoint of state.endpoints.values()) yield endpointLine(endpoint);
  for (const gateway of state.gateways.values()) yield endpointLine(gateway);
  yield* memoryLines('previous', state.memory.previous);
  yield* memoryLines('present', state.memory.present);
}

function* spacesOf({ pools }: State): IterableIterator<LineOf<'space'> | LineOf<'cursor'>> {
  for (const { name, cursor } of pools.spaces()) yield { kind: 'space', name, cursor: String(cursor) };
  for (const pool of pools.all()) for (const cursor of pool.cursors) yield cursorLine(pool, cursor);
}

function cursorLine({ space, prefix }: Pool, { first, last, users, next }: Cursor): LineOf<'cursor'> {
  return {
    kind: 'cursor',
    space,
    prefix,
    first: String(first),
    last: String(last),
    users,
    next: String(next),
  };
}

function networkLine(network: Network): LineOf<'network'> {
  const { subnets, options, labels, ...rest } = withStamps(network);
  return {
    kind: 'network',
    ...rest,
    subnets: subnets.map(({ aux, ...subnet }) => ({ ...subnet, aux: [...aux] })),
    options: Object.entries(options),
    labels: Object.entries(labels),
  };
}

function endpointLine(endpoint: Endpoint): LineOf<'endpoint'> {
  const { aliases, addresses, linkLocal, sysctls, routes, ports, ...rest } = withStamps(endpoint);
  return {
    kind: 'endpoint',
    ...rest,
    aliases: [...aliases],
    addresses: [...addresses],
    ...(ports === undefined ? {} : { ports: [...ports] }),
    ...(linkLocal === undefined ? {} : { linkLocal: [...linkLocal] }),
    ...(sysctls === undefined ? {} : { sysctls: [...sysctls] }),
    ...(routes === undefined ? {} : { routes: [...routes] }),
  };
}

function* memoryLines(
  stretch: LineOf<'memory'>['stretch'],
  table: Table<RecordId, number>,
): IterableIterator<LineOf<'memory'>> {
  let records: [RecordId, number][] = [];
  for (const entry of table.entries()) {
    records.push(entry);
    if (records.length < recordsPerLine) continue;
    yield { kind: 'memory', stretch, records };
    records = [];
  }
  if (records.length > 0) yield { kind: 'memory', stretch, records };
}

/** Without the second stamp where it is the first. */
function withStamps<T extends { readonly created: Stamp; readonly changed: Stamp }>(
  object: T,
): Omit<T, 'changed'> & { readonly changed?: Stamp } {
  const { changed, ...rest } = object;
  return changed.ordinal === object.created.ordinal ? rest : { ...rest, changed };
}
