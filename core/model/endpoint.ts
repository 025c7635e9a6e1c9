/** An endpoint: a sandbox's interface on a network. */
import { familyOf, type InterfaceAddress, type IpAddress, type Prefix } from './address.ts';
import type { EndpointId, NetworkId } from './ids.ts';
import type { Mac } from './mac.ts';
import type { PublishedPort } from './published-port.ts';
import type { Sandbox } from './sandbox.ts';
import type { Stamp } from './stamp.ts';

export interface Endpoint {
  readonly id: EndpointId;
  readonly network: NetworkId;
  /** Unique in its network, without regard to case. An endpoint without a name is in no hosts file. */
  readonly name?: string;
  /** Further names; several endpoints may share one. */
  readonly aliases: readonly string[];
  /** Name of the host that its sandbox is on. */
  readonly host: string;
  readonly sandbox: Sandbox;
  /** Interface name inside the sandbox. Absent where the driver makes no interface. */
  readonly ifname?: string;
  readonly mac?: Mac;
  /** At most one of each family, IPv4 first. */
  readonly addresses: readonly InterfaceAddress[];
  /** Link-local addresses beside those, at most one of each family, IPv4 first. Absent: none. */
  readonly linkLocal?: readonly InterfaceAddress[];
  /** Settings of the kernel for its interface. Absent: none. */
  readonly sysctls?: readonly InterfaceSysctl[];
  /** Static routes over its interface, in the order asked for. Absent: none. */
  readonly routes?: readonly StaticRoute[];
  /** Of several endpoints of one sandbox the one of the highest gives the default route. Absent: 0. */
  readonly gatewayPriority?: number;
  /** Ports of its host behind which it is reached, in the order asked for. Absent: none. */
  readonly ports?: readonly PublishedPort[];
  readonly created: Stamp;
  readonly changed: Stamp;
}

export interface InterfaceSysctl {
  /** Below `/proc/sys/`, such as `net/ipv4/conf/eth0/log_martians`. */
  readonly name: string;
  readonly value: string;
}

/** Destinations of one sandbox's static routes differ. */
export interface StaticRoute {
  readonly destination: Prefix;
  /** A machine on the endpoint's network; absent where those at the destination are on the link themselves. */
  readonly via?: IpAddress;
}

export function hasIpv6({ addresses }: Pick<Endpoint, 'addresses'>): boolean {
  return addresses.some((address) => familyOf(address) === 6);
}
