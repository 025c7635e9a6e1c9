/** A machine (or network namespace) that runs the daemon and ends VXLAN tunnels. */
import type { IpAddress, Prefix } from './address.ts';
import type { Stamp } from './stamp.ts';

export interface Host {
  readonly name: string;
  /** Underlay address of its VTEP. Unique among live hosts. */
  readonly address: IpAddress;
  /** 32 hexadecimal digits from the host's data directory: tells a restart from another machine of the same name. */
  readonly identity: string;
  /** Counts the lives of the host, from 1. Records of an older epoch are rejected. */
  readonly epoch: number;
  /** MTU of the underlay link, bytes. */
  readonly mtu: number;
  /** Version of weft that it runs. */
  readonly version: string;
  /** Of its gateway bridge, IPv4. Absent where none was free when it joined: its overlays have no way out then. */
  readonly gatewaySubnet?: Prefix;
  /** Ordinal of the join that its present life began with. */
  readonly joined: number;
  /** The others said of this life of it that it is silent: its names do not resolve, and nothing that it asks counts. */
  readonly isDown: boolean;
  readonly created: Stamp;
  readonly changed: Stamp;
}
