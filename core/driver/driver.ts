/**
 * PORT: a driver compiles a network into kernel objects. Pure: no I/O, no clock, no randomness, nothing but its
 * arguments; the same arguments give equal objects.
 *
 * A network is compiled on a host as long as one of its endpoints lives there. The result is the union of one call of
 * `compileNetwork`, one of `compileEndpoint` per endpoint and one of `compileHost` per host, so that a change of one endpoint or host
 * recompiles that alone; the parts must not depend on each other.
 */
import type { KernelObject } from '../dataplane/object.ts';
import type { Family } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import type { Network } from '../model/network.ts';
import type { PublishedPort } from '../model/published-port.ts';

export interface Driver {
  /** The word after `weft network create -d`. */
  readonly name: string;
  /** What the network needs on this host whatever its endpoints are. */
  compileNetwork(network: Network, view: HostView): readonly KernelObject[];
  /** What one endpoint adds: the interface of a local one, or the way to a remote one. */
  compileEndpoint(network: Network, endpoint: Endpoint, view: HostView): readonly KernelObject[];
  /** What another host of the cluster adds, once for all of the driver's networks, while any of them is compiled here. */
  compileHost?(host: Host, view: HostView): readonly KernelObject[];
}

/** The host that is compiled for, and what it knows of the others. */
export interface HostView {
  readonly self: Host;
  /** Prefix of the names of owned namespaces, `weft-` by default. */
  readonly netnsPrefix: string;
  /** A host of the cluster by name. */
  host(name: string): Host | undefined;
  /** Whether the sandbox of that endpoint, which is one of this host's, has its default route through it. */
  isGateway(endpoint: Endpoint, family: Family): boolean;
  /** The published ports that lead to that endpoint, which is one of this host's: its own, and others of its sandbox. */
  portsLeadingTo(endpoint: Endpoint): readonly PublishedPort[];
  /** Whether weft may add its rule to chains of other firewalls on this host. */
  readonly acceptsInForeignChains: boolean;
  /** Whether VXLAN frames may come in from addresses that are no host's. */
  readonly acceptsForeignVteps: boolean;
  /** Smallest underlay MTU of the hosts that the network may reach, bytes. Absent: this host's own stands for all. */
  readonly underlayMtuMin?: number;
}
