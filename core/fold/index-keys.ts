/**
 * Keys of the endpoint indexes. An object is known in them by the ordinal that made it, which no other object shares,
 * instead of by its 64 digits: there are several keys for each of a great many endpoints. Within a prefix the keys sort
 * as the objects came about.
 */

import { addressOf } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import type { NetworkId } from '../model/ids.ts';
import type { Mac } from '../model/mac.ts';
import { nameKey } from '../model/names.ts';
import { isPredefined, type Network } from '../model/network.ts';
import type { PortProtocol } from '../model/published-port.ts';

/** An ordinal as text that sorts like the number: its base-36 digits behind their count, which is one such digit. */
export function ordinalKey(ordinal: number): string {
  const digits = ordinal.toString(36);
  return digits.length.toString(36) + digits;
}

export function endpointNameKey(network: NetworkId, name: string): string {
  return `${network} ${nameKey(name)}`;
}

/**
 * Begins the keys of all endpoints of a network in `endpointsByNetwork` and `macs`. Predefined networks share one ordinal
 * and are told apart by their names; no ordinal's key begins with a 0.
 */
export function networkPrefix(network: Network): string {
  return isPredefined(network) ? `0${network.name} ` : `${ordinalKey(network.created.ordinal)} `;
}

export function byNetworkKey(network: Network, endpoint: Endpoint): string {
  return networkPrefix(network) + ordinalKey(endpoint.created.ordinal);
}

export function macKey(network: Network, mac: Mac): string {
  return networkPrefix(network) + mac;
}

/** Begins the keys of all endpoints of a host in `endpointsBySandbox`. No name of a host has a blank in it. */
export function hostPrefix(host: Host['name']): string {
  return `${host} `;
}

/** Of a sandbox itself, in `gateways`; begins with `hostPrefix`. */
export function sandboxKey(host: Host['name'], identity: string): string {
  return hostPrefix(host) + identity;
}

/** Begins the keys of all endpoints of a sandbox. The fold takes no identity with a blank in it. */
export function sandboxPrefix(host: Host['name'], identity: string): string {
  return `${sandboxKey(host, identity)} `;
}

export function bySandboxKey(endpoint: Endpoint): string {
  return sandboxPrefix(endpoint.host, endpoint.sandbox.identity) + ordinalKey(endpoint.created.ordinal);
}

/** Begins the keys of all that is published at a port of a host, whatever the address; the address is the rest. */
export function portPrefix(host: Host['name'], protocol: PortProtocol, port: number): string {
  return `${host} ${protocol} ${port} `;
}

/** Ports at an endpoint's own addresses are in nobody's way and have none. */
export function portKeys({ host, ports = [], addresses }: Endpoint): string[] {
  const own = addresses.map(addressOf);
  return ports
    .filter(({ address }) => !own.includes(address))
    .map(({ protocol, hostPort, address }) => portPrefix(host, protocol, hostPort) + address);
}
