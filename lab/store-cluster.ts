/**
 * What a test of failover does to a cluster of servers, the same for every kind of store, so that a fault is written once.
 * `etcd.ts`, `consul.ts` and `zookeeper.ts` have the clusters; `server-network.ts` the wires between their servers.
 */

/** Where a server of a cluster runs: at an address in a namespace, one which this process reaches. */
export interface Seat {
  readonly netns: string;
  readonly address: string;
}

export interface ClusterServer {
  readonly name: string;
  /** Where its clients connect. */
  readonly host: string;
  readonly clientPort: number;
  /** Where they connect by TLS, if the server was told to serve it; no other port than `clientPort` but for ZooKeeper. */
  readonly securePort: number;
  /** Undefined while none is running. */
  readonly pid: number | undefined;
  /** SIGSTOP and SIGCONT freeze and thaw it; after any other signal this waits for its end. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts the process with the data that it has; does not wait for it to be ready. */
  launch(): Promise<void>;
  /** Kills it if it runs, starts it and waits until it is ready, for which there must be a leader. */
  restart(): Promise<void>;
}

export interface StoreCluster {
  readonly servers: readonly ClusterServer[];
  /** Of all servers, without a prefix: the default one. */
  readonly url: string;
  /** Waits for one. @throws Error when there is none in time */
  leader(): Promise<ClusterServer>;
  /** Waits until every server serves. @throws Error with the last words of one that does not in time */
  ready(): Promise<void>;
  /** Puts a backup of everything into an empty folder, as the store's own handbook says; nobody writes meanwhile. */
  backUp(folder: string): Promise<void>;
  /** Brings the backup back, as an operator would: with the servers down, but for Consul, which takes it while it runs. */
  restore(folder: string): Promise<void>;
  /** Ends all servers and removes their data. Idempotent. */
  stop(): Promise<void>;
}
