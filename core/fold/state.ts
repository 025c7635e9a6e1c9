/**
 * The state of a cluster: what the log folds to. Immutable to everyone but the fold; a new version shares all that did
 * not change with the old one, so a reader may keep one as long as it likes.
 */
import type { Pools } from '../ipam/pools.ts';
import type { RangeSet } from '../ipam/range-set.ts';
import type { Table } from '../lib/table.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import type { EndpointId, NetworkId, RecordId } from '../model/ids.ts';
import type { Network } from '../model/network.ts';

export interface State {
  /** Records folded so far; the ordinal of the last one. */
  readonly ordinal: number;
  /** Running hash of the records' bytes, rejected ones included. 64 hexadecimal digits. */
  readonly recordHash: string;
  /** Incremental hash of everything below, independent of the order in which it came about. 64 hexadecimal digits. */
  readonly stateHash: string;

  readonly hosts: Table<string, Host>;
  readonly networks: Table<NetworkId, Network>;
  readonly endpoints: Table<EndpointId, Endpoint>;

  /** Derived indexes; equal to a recomputation from the tables above. */
  readonly networkNames: Table<string, NetworkId>;
  /** `<network id> <name key>`. */
  readonly endpointNames: Table<string, EndpointId>;
  /** `<network id> <endpoint id>`. */
  readonly endpointsByNetwork: Table<string, EndpointId>;
  /** `<host name> <endpoint id>`. */
  readonly endpointsByHost: Table<string, EndpointId>;
  /** `<host name> <sandbox identity> <endpoint id>`. */
  readonly endpointsBySandbox: Table<string, EndpointId>;
  /** `<network id> <mac>`. */
  readonly macs: Table<string, EndpointId>;

  /** Pools of every address space, with what is allocated in them. */
  readonly pools: Pools;
  /** VNIs in use, and where the search for the next one goes on. */
  readonly vnis: RangeSet;
  readonly vniCursor: bigint;

  /** Ids of the last W records with their ordinals, and the same the other way round. */
  readonly recentRecords: Table<RecordId, number>;
  readonly recentOrdinals: Table<number, RecordId>;
}
