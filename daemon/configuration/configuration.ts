/**
 * What a daemon runs with. Every value has one name, the same on the command line (`--data-dir`) and in the file
 * (`data-dir:`); the command line wins. Secrets are never values here, only the names of files that hold them, and
 * those only in the file.
 */
import type { StoreSecrets } from '../../adapters/open-log.ts';
import type { IpAddress, Prefix } from '../../core/model/address.ts';

export interface Configuration {
  /** URL of the log's store. */
  readonly store: string;
  /** Name of this host in the cluster. */
  readonly host: string;
  /** Underlay address at which this host's tunnels end. */
  readonly advertise: IpAddress;
  readonly dataDir: string;
  readonly socket: string;
  readonly netnsPrefix: string;
  /** Whether weft may add its rule to chains of other firewalls that drop what it lets pass. */
  readonly acceptInForeignChains: boolean;
  /** Whether VXLAN frames may come in from addresses that are no host's. */
  readonly acceptForeignVteps: boolean;
  /** Of this host's gateway bridge; absent: the one that it had, or one that is free. */
  readonly gatewaySubnet?: Prefix;
  /** Whether this host has the predefined network `bridge`. */
  readonly hasDefaultBridge: boolean;
  /** Disk that the archive of trimmed records may take, MiB. */
  readonly archiveMib: number;
  /** A silent host is taken down after so long, and expires after so long down, milliseconds. */
  readonly hostGraceMs: number;
  readonly hostRetentionMs: number;
  readonly logLevel: LogLevel;
  /** How the store knows us: names of files. */
  readonly secrets: StoreSecrets;
  /** The same of other stores, to which the cluster may move. */
  readonly stores: readonly OtherStore[];
}

export interface OtherStore {
  readonly url: string;
  readonly secrets: StoreSecrets;
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
