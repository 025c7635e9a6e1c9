/**
 * The state of a cluster: what the log folds to. Immutable to everyone but the fold; a new version shares all that did
 * not change with the old one, so a reader may keep one as long as it likes.
 *
 * Vocabulary of the folder: `apply` takes a state and one line of the log to the next state. A record is judged by its
 * envelope (`envelope.ts`), then by the rules of its kind (`host.ts`, `network.ts`, `endpoint.ts`), which write to a
 * `Draft` or throw `Refused`. All writes of tables, indexes and hash go through the draft. `lookup.ts` reads the indexes.
 * `check.ts` recomputes from the base tables what is kept up incrementally.
 */
import { Pools } from '../ipam/pools.ts';
import { RangeSet } from '../ipam/range-set.ts';
import { SortedTable, type Table } from '../lib/table.ts';
import { vniMin } from '../limits.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import type { EndpointId, NetworkId } from '../model/ids.ts';
import type { Network } from '../model/network.ts';
import type { Course } from './course.ts';
import { emptyRecordHash, emptyStateHash } from './hash.ts';
import { emptyMemory, type RecordMemory } from './record-memory.ts';
import type { RemovedHost } from './removed-host.ts';

export interface State {
  /** Records folded so far; the ordinal of the last one. 0: before the first. */
  readonly ordinal: number;
  /** Running hash of the records' bytes, rejected ones included. 64 hexadecimal digits. */
  readonly recordHash: string;
  /** Incremental hash of everything below, independent of the order in which it came about. 64 hexadecimal digits. */
  readonly stateHash: string;

  /** By name as written. */
  readonly hosts: Table<string, Host>;
  readonly networks: Table<NetworkId, Network>;
  readonly endpoints: Table<EndpointId, Endpoint>;

  /**
   * The endpoints that sandboxes have on the gateway bridge of their host, by `sandboxKey`. No record asks for them, and
   * they are in none of the indexes below: `gateway.ts`.
   */
  readonly gateways: Table<string, Endpoint>;

  /** Derived indexes; equal to a recomputation from the tables above. */
  readonly networkNames: Table<string, NetworkId>;
  /** By the link that their interfaces are stacked on, for those networks that name one. */
  readonly parents: Table<string, NetworkId>;
  /** `<network id> <name key>`. */
  readonly endpointNames: Table<string, EndpointId>;
  /** The others have keys of their own, which `lookup.ts` makes and reads; they are short because there are so many. */
  readonly endpointsByNetwork: Table<string, EndpointId>;
  readonly endpointsBySandbox: Table<string, EndpointId>;
  readonly macs: Table<string, EndpointId>;
  /** Every port of every host that is published. */
  readonly publishedPorts: Table<string, EndpointId>;
  /** Host names by their key form, and by the underlay addresses of live hosts. */
  readonly hostNames: Table<string, string>;
  readonly hostAddresses: Table<string, string>;
  /** The hosts that are down, by name, with the epochs in which they are. */
  readonly downHosts: Table<string, number>;

  /** Pools of every address space, with what is allocated in them. */
  readonly pools: Pools;
  /** VNIs in use, and where the search for the next one goes on. */
  readonly vnis: RangeSet;
  readonly vniCursor: bigint;

  /** Hosts that were removed within the last W ordinals, by key form of their names, and their names by ordinal. */
  readonly removedHosts: Table<string, RemovedHost>;
  readonly removals: Table<number, string>;
  /** No host that was removed longer ago had a later epoch. */
  readonly epochFloor: number;

  /** On which logs the cluster has lived, and where it goes on. */
  readonly course: Course;

  /** Which records were seen in the last W ordinals. */
  readonly memory: RecordMemory;
}

/** One for all: nobody writes to it. */
const empty: State = {
  ordinal: 0,
  recordHash: emptyRecordHash,
  stateHash: emptyStateHash,
  hosts: SortedTable.empty(),
  networks: SortedTable.empty(),
  endpoints: SortedTable.empty(),
  gateways: SortedTable.empty(),
  networkNames: SortedTable.empty(),
  parents: SortedTable.empty(),
  endpointNames: SortedTable.empty(),
  endpointsByNetwork: SortedTable.empty(),
  endpointsBySandbox: SortedTable.empty(),
  macs: SortedTable.empty(),
  publishedPorts: SortedTable.empty(),
  hostNames: SortedTable.empty(),
  hostAddresses: SortedTable.empty(),
  downHosts: SortedTable.empty(),
  pools: Pools.empty,
  vnis: RangeSet.empty,
  vniCursor: BigInt(vniMin),
  removedHosts: SortedTable.empty(),
  removals: SortedTable.empty(),
  epochFloor: 0,
  course: { past: [] },
  memory: emptyMemory,
};

/** Without anything. What a log begins with has the predefined networks: `predefined.ts`. */
export function emptyState(): State {
  return empty;
}
