/** A network: a named segment with its subnets, as one accepted record made it. */
import type { IpAddress, Prefix } from './address.ts';
import type { NetworkId } from './ids.ts';
import type { Stamp } from './stamp.ts';

export interface AuxAddress {
  readonly name: string;
  readonly address: IpAddress;
}

export interface Subnet {
  readonly prefix: Prefix;
  readonly gateway: IpAddress;
  /** Automatic addresses come from here; static ones from anywhere in the prefix. */
  readonly range?: Prefix;
  readonly aux: readonly AuxAddress[];
}

export interface Network {
  readonly id: NetworkId;
  readonly name: string;
  readonly driver: string;
  /** Unique among live networks; only where the driver needs one. */
  readonly vni?: number;
  /** IPv4 subnets before IPv6 ones, each in the order asked for. Empty where the driver takes no addresses. */
  readonly subnets: readonly Subnet[];
  readonly ipv6: boolean;
  /** Where its addresses must be unique. Networks of one space may share a subnet; no address is then given twice. */
  readonly space: string;
  /** Without a way to the outside world. */
  readonly internal: boolean;
  /** Driver options in the order of their keys. */
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly created: Stamp;
  readonly changed: Stamp;
}

/** True for what every cluster has from the beginning: no record made it, so none may remove it. */
export function isPredefined({ created }: Pick<Network, 'created'>): boolean {
  return created.ordinal === predefinedStamp.ordinal;
}

/** Before the first record. */
export const predefinedStamp: Stamp = { ordinal: 0, host: '', by: 'weft', at: 0 };

/** The address space of networks that name none. */
export const defaultSpace = 'default';
