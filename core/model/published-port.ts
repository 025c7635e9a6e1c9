/** Ports of a host behind which endpoints are reached. */
import { type Family, familyOf, type IpAddress, parseAddress } from './address.ts';

export const portProtocols = ['tcp', 'udp', 'sctp'] as const;
export type PortProtocol = (typeof portProtocols)[number];

/** What comes to `hostPort` at `address` goes to `port` of the endpoint. */
export interface PublishedPort {
  readonly protocol: PortProtocol;
  /**
   * One of the host's, or the unspecified one of a family for all that the host has of it; or the endpoint's own, at
   * which it is reached without any translation where its network is routed.
   */
  readonly address: IpAddress;
  readonly hostPort: number;
  readonly port: number;
}

/** Something on a host that takes what comes to a port: a socket that weft did not make. */
export interface Listener {
  readonly protocol: PortProtocol;
  /** The unspecified address of a family stands for all of it. */
  readonly address: IpAddress;
  readonly port: number;
  /** Name and number of the process that has it; absent where that could not be found out. */
  readonly process?: string;
}

const anyAddress: Readonly<Record<Family, IpAddress>> = {
  4: '0.0.0.0' as IpAddress,
  6: '::' as IpAddress,
};

/** All addresses of a family, as one address. */
export function everyAddress(family: Family): IpAddress {
  return anyAddress[family];
}

export function isEveryAddress(address: IpAddress): boolean {
  return address === anyAddress[familyOf(address)];
}

/** Whether a packet could be meant for either. */
export function addressesMeet(a: IpAddress, b: IpAddress): boolean {
  return a === b || (familyOf(a) === familyOf(b) && (isEveryAddress(a) || isEveryAddress(b)));
}

/** `8080`, `0.0.0.0:8080` or `[::]:8080`. */
export function socketText(address: IpAddress, port: number | string): string {
  return familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** An address in brackets or without, as it stands before a port. */
export function parseBoundAddress(text: string): IpAddress | undefined {
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  const address = parseAddress(bracketed ?? text);
  if (address === undefined) return undefined;
  return (familyOf(address) === 6) === (bracketed !== undefined) ? address : undefined;
}
