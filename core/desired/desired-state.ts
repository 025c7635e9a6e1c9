/**
 * The desired state of one host: which kernel objects should exist on it, kept up to date with the fold.
 *
 * Vocabulary: a *part* is what one network, endpoint, gateway endpoint or hosts file contributes; a part is *stale* when something
 * that it is compiled from has changed. `apply` only marks parts stale; the next look compiles each stale part once, from
 * the latest state, however many changes there were. So a burst costs one compilation of each part, and parts never see
 * a state in which half of a record's changes are missing.
 *
 * Invariants, asked of it in tests after every step by `recompute`:
 * - equal to a compilation of the latest state from nothing;
 * - a network is compiled only while an endpoint of it lives on this host: then the network and all its endpoints are;
 * - one more endpoint anywhere compiles that endpoint, and rewrites the hosts files that list it; nothing else is looked
 *   at, whatever the size of the cluster.
 *
 * Of a host, drivers may look at name, address and MTU: a re-join that changes none of them compiles nothing. One that is
 * down, or up again, has its endpoints' names taken off the lists or put back, and nothing else. A join that changes the smallest MTU of the cluster compiles everything.
 */
import { keyOf } from '../dataplane/key.ts';
import type { Namespace } from '../dataplane/namespace.ts';
import type { KernelObject } from '../dataplane/object.ts';
import type { Driver, HostView } from '../driver/driver.ts';
import type { Change } from '../fold/change.ts';
import { driverTraits } from '../fold/driver-traits.ts';
import { gatewayNetworkId } from '../fold/gateway-network.ts';
import { endpointsOfHost, endpointsOfNetwork, gatewayOfSandbox } from '../fold/lookup.ts';
import type { State } from '../fold/state.ts';
import { hostsEndpointsPerNetworkMax } from '../limits.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import type { EndpointId, NetworkId } from '../model/ids.ts';
import type { Network } from '../model/network.ts';
import type { Logger } from '../ports/logger.ts';
import type { DesiredView } from '../reconcile/desired.ts';
import { gatewayBridge, gatewayInterface, PlacedGateways } from './gateways.ts';
import { HostParts } from './host-parts.ts';
import {
  altersDataPlane,
  type DesiredOptions,
  hostViewOf,
  resolvesHere,
  underlayMtuMinOf,
} from './host-view.ts';
import { isNamed, type NamedEndpoint } from './hosts-entries.ts';
import { hostsFileOf } from './hosts-file.ts';
import { LocalEndpoints, latestIdentity } from './local-endpoints.ts';
import { NameList } from './name-list.ts';
import { ObjectSet } from './object-set.ts';

/** A network while it is compiled here. */
interface CompiledNetwork {
  readonly network: Network;
  readonly driver: Driver;
  /** The endpoints that have parts, as compiled. */
  readonly endpoints: Map<EndpointId, Endpoint>;
  readonly names: NameList;
}

/** Replacements of parts that one compilation makes, by part. */
type Contributions = Map<string, readonly KernelObject[]>;

export class DesiredState implements DesiredView {
  readonly #drivers: ReadonlyMap<string, Driver>;
  readonly #options: DesiredOptions;
  readonly #logger: Logger | undefined;
  readonly #objects = new ObjectSet();
  readonly #locals = new LocalEndpoints();
  readonly #gateways = new PlacedGateways();
  readonly #compiled = new Map<NetworkId, CompiledNetwork>();
  readonly #unknownDriver = new Set<NetworkId>();
  #state: State | undefined;
  #underlayMtuMin: number | undefined;

  readonly #staleNetworks = new Set<NetworkId>();
  readonly #staleEndpoints = new Map<EndpointId, NetworkId>();
  readonly #staleSandboxes = new Set<string>();
  readonly #hosts = new HostParts();
  /** References of sandboxes whose gateway endpoints may be others now. */
  readonly #staleGateways = new Set<string>();
  #dirty = new Set<string>();

  constructor(
    drivers: ReadonlyMap<string, Driver>,
    options: DesiredOptions,
    ports: { readonly logger?: Logger } = {},
  ) {
    this.#drivers = drivers;
    this.#options = options;
    this.#logger = ports.logger;
  }

  /** Follows one change of the fold. `state` is the one after the record that made the change. */
  apply(change: Change, state: State): void {
    this.#state = state;
    switch (change.type) {
      case 'host-set':
        if (altersDataPlane(change.host, change.previous)) this.#onHost(change.host, state);
        else if (change.host.isDown !== change.previous?.isDown) this.#onResolution(change.host, state);
        return;
      case 'host-removed':
        this.#onHost(change.host, state);
        return;
      case 'network-added':
      case 'network-removed':
        this.#unknownDriver.delete(change.network.id);
        this.#staleNetworks.add(change.network.id);
        return;
      case 'endpoint-added':
        if (this.#isLocal(change.endpoint)) this.#locals.add(change.endpoint);
        this.#onEndpoint(change.endpoint);
        return;
      case 'endpoint-removed':
        // While it is still among its neighbours, which may change places when it goes.
        this.#onEndpoint(change.endpoint);
        if (this.#isLocal(change.endpoint)) this.#locals.remove(change.endpoint);
        return;
      case 'gateway-set':
      case 'gateway-removed':
        if (this.#isLocal(change.gateway)) this.#staleGateways.add(change.gateway.sandbox.ref);
        return;
    }
  }

  /** Begins with a whole state, of which no changes were applied. For a fresh object only. */
  load(state: State): void {
    this.#state = state;
    for (const endpoint of endpointsOfHost(state, this.#options.host)) this.#locals.add(endpoint);
    this.#underlayMtuMin = underlayMtuMinOf(state);
    this.#onEverything(state);
  }

  /** Keys of the objects that came, went or changed since the last call. */
  takeDirty(): ReadonlySet<string> {
    this.#compile();
    const dirty = this.#dirty;
    this.#dirty = new Set();
    return dirty;
  }

  /**
   * Keys of the objects that stand for an endpoint on this host: its own, and where it lives here those of its network,
   * and of its sandbox the hosts file and the way out over the gateway bridge. Empty when it is unknown or not compiled here.
   */
  keysOf(id: EndpointId): readonly string[] {
    this.#compile();
    const endpoint = this.#state?.endpoints.get(id);
    if (endpoint === undefined) return [];
    const { ref } = endpoint.sandbox;
    const own = [endpoint.network, id, hostsPart(ref)];
    const gateway = this.#objects.has(gatewayPart(ref)) ? [gatewayNetworkId, gatewayPart(ref)] : [];
    const parts = this.#isLocal(endpoint) ? [...own, ...gateway] : [id];
    return parts.flatMap((part) => this.#objects.part(part).map(keyOf));
  }

  get size(): number {
    this.#compile();
    return this.#objects.size;
  }

  get(key: string): KernelObject | undefined {
    this.#compile();
    return this.#objects.get(key);
  }

  namespaces(): Iterable<Namespace> {
    this.#compile();
    return this.#objects.namespaces();
  }

  inNamespace(ns: Namespace): ReadonlyMap<string, KernelObject> {
    this.#compile();
    return this.#objects.inNamespace(ns);
  }

  #isLocal(endpoint: Endpoint): boolean {
    return endpoint.host === this.#options.host;
  }

  #onHost(host: Host, state: State): void {
    this.#hosts.stale(host.name);
    const mtuMin = underlayMtuMinOf(state);
    if (host.name === this.#options.host || mtuMin !== this.#underlayMtuMin) {
      this.#underlayMtuMin = mtuMin;
      this.#onEverything(state);
      return;
    }
    this.#onResolution(host, state);
  }

  /** The names of a host's endpoints resolve, or do not, other than before. */
  #onResolution(host: Host, state: State): void {
    for (const { id, network } of endpointsOfHost(state, host.name)) this.#staleEndpoints.set(id, network);
  }

  /** This host came, went, or is reached otherwise, or frames must be of another size: everything is compiled anew. */
  #onEverything(state: State): void {
    this.#hosts.staleAll();
    for (const id of [...this.#compiled.keys(), ...this.#locals.networks()]) {
      this.#staleNetworks.add(id);
      this.#staleMembers(id, state);
    }
    for (const ref of this.#locals.sandboxes()) {
      this.#staleSandboxes.add(ref);
      this.#staleGateways.add(ref);
    }
  }

  #staleMembers(id: NetworkId, state: State): void {
    const network = state.networks.get(id);
    if (network === undefined) return;
    for (const endpoint of endpointsOfNetwork(state, network)) this.#staleEndpoints.set(endpoint.id, id);
  }

  /** An endpoint came or went. One of this host may decide over its network, and over its neighbours in its sandbox. */
  #onEndpoint(endpoint: Endpoint): void {
    this.#staleEndpoints.set(endpoint.id, endpoint.network);
    if (!this.#isLocal(endpoint)) return;
    this.#staleSandboxes.add(endpoint.sandbox.ref);
    this.#staleGateways.add(endpoint.sandbox.ref);
    for (const neighbour of this.#locals.inSandbox(endpoint.sandbox.ref)) {
      this.#staleNetworks.add(neighbour.network);
      this.#staleEndpoints.set(neighbour.id, neighbour.network);
    }
  }

  /** Brings everything stale up to date with the latest state. */
  #compile(): void {
    const stale = [this.#staleNetworks, this.#staleEndpoints, this.#staleSandboxes, this.#staleGateways];
    if ((stale.every(({ size }) => size === 0) && !this.#hosts.isStale) || this.#state === undefined) return;
    const state = this.#state;
    const view = hostViewOf(state, this.#options, this.#underlayMtuMin, ({ sandbox }) =>
      this.#locals.inSandbox(sandbox.ref, sandbox.identity),
    );
    const contributions: Contributions = new Map();
    for (const id of this.#staleNetworks) this.#compileNetwork(id, state, view, contributions);
    if (this.#staleNetworks.size > 0 || this.#hosts.isStale)
      this.#hosts.compile(state, view, this.#driversInUse(), contributions);
    const relisted = new Set<NetworkId>();
    for (const [id, network] of this.#staleEndpoints) {
      if (this.#compileEndpoint(id, network, state, view, contributions)) relisted.add(network);
    }
    for (const network of relisted) {
      for (const endpoint of this.#locals.onNetwork(network)) this.#staleSandboxes.add(endpoint.sandbox.ref);
    }
    for (const ref of this.#staleSandboxes) this.#compileHostsFile(ref, contributions);
    if (this.#staleGateways.size > 0) this.#compileGateways(state, view, contributions);
    for (const part of stale) part.clear();
    for (const key of this.#objects.replace(contributions)) this.#dirty.add(key);
  }

  #compileNetwork(id: NetworkId, state: State, view: HostView | undefined, into: Contributions): void {
    const network = state.networks.get(id);
    const wanted = view !== undefined && network !== undefined && this.#locals.hasNetwork(id);
    const driver = wanted ? this.#driverOf(network) : undefined;
    const compiled = this.#compiled.get(id);
    if (compiled !== undefined && (driver === undefined || compiled.network !== network)) {
      for (const endpoint of compiled.endpoints.keys()) into.set(endpoint, []);
      into.set(id, []);
      this.#compiled.delete(id);
      for (const endpoint of this.#locals.onNetwork(id)) this.#staleSandboxes.add(endpoint.sandbox.ref);
    }
    if (!wanted || driver === undefined) return;
    into.set(id, driver.compileNetwork(network, view));
    if (this.#compiled.has(id)) return;
    const names = new NameList(network, this.#options.hostsEndpointsMax ?? hostsEndpointsPerNetworkMax);
    this.#compiled.set(id, { network, driver, endpoints: new Map(), names });
    this.#staleMembers(id, state);
  }

  #driversInUse(): ReadonlySet<Driver> {
    return new Set([...this.#compiled.values()].map(({ driver }) => driver));
  }

  /** Returns whether the names of the network are listed otherwise now. */
  #compileEndpoint(
    id: EndpointId,
    networkId: NetworkId,
    state: State,
    view: HostView | undefined,
    into: Contributions,
  ): boolean {
    const compiled = this.#compiled.get(networkId);
    if (compiled === undefined || view === undefined) return false;
    const { network, driver, endpoints, names } = compiled;
    const before = endpoints.get(id);
    const found = state.endpoints.get(id);
    const endpoint = found !== undefined && this.#isPlaced(network, found) ? found : undefined;
    if (endpoint === undefined) endpoints.delete(id);
    else endpoints.set(id, endpoint);
    into.set(id, endpoint === undefined ? [] : driver.compileEndpoint(network, endpoint, view));
    const named = before !== undefined && isNamed(before) && names.has(before) ? before : undefined;
    const resolving = endpoint !== undefined && this.#resolves(endpoint, state) ? endpoint : undefined;
    if (named === resolving) return false;
    const removed = named !== undefined && names.remove(named);
    const added = resolving !== undefined && names.add(resolving);
    return removed || added;
  }

  #resolves(endpoint: Endpoint, state: State): endpoint is NamedEndpoint {
    return isNamed(endpoint) && resolvesHere(state, endpoint.host, this.#options.host);
  }

  /** Endpoints of other hosts are nothing to a network that is each host's own. */
  #isPlaced({ driver }: Network, endpoint: Endpoint): boolean {
    if (this.#isLocal(endpoint)) return this.#locals.isCurrent(endpoint);
    return driverTraits(driver)?.isLocal !== true;
  }

  #compileHostsFile(ref: string, into: Contributions): void {
    const own = [...this.#locals.inSandbox(ref)].filter((endpoint) => this.#locals.isCurrent(endpoint));
    const file = hostsFileOf(ref, own, (network) => this.#compiled.get(network)?.names);
    into.set(hostsPart(ref), file === undefined ? [] : [file]);
  }

  #compileGateways(state: State, view: HostView | undefined, into: Contributions): void {
    const network = state.networks.get(gatewayNetworkId);
    const driver = network === undefined ? undefined : this.#driverOf(network);
    if (network === undefined || driver === undefined) return;
    for (const ref of this.#staleGateways) {
      const gateway = view === undefined ? undefined : this.#gatewayOf(ref, state);
      this.#gateways.set(ref, gateway);
      const objects =
        view === undefined || gateway === undefined
          ? []
          : gatewayInterface({ network, driver }, gateway, view);
      into.set(gatewayPart(ref), objects);
    }
    into.set(network.id, view === undefined ? [] : gatewayBridge({ network, driver }, this.#gateways, view));
  }

  /** That of the latest sandbox of a reference, if the fold gave it one. */
  #gatewayOf(ref: string, state: State): Endpoint | undefined {
    const identity = latestIdentity(this.#locals.inSandbox(ref));
    const gateway =
      identity === undefined ? undefined : gatewayOfSandbox(state, this.#options.host, identity);
    return gateway?.sandbox.ref === ref ? gateway : undefined;
  }

  /** A network of a driver that this build does not have needs a newer one; the others go on. Said once a network. */
  #driverOf(network: Network): Driver | undefined {
    const driver = this.#drivers.get(network.driver);
    if (driver === undefined && !this.#unknownDriver.has(network.id)) {
      this.#unknownDriver.add(network.id);
      const values = { network: network.name, id: network.id, driver: network.driver };
      this.#logger?.error('network not set up here: this build of weft does not have its driver', values);
    }
    return driver;
  }
}

/** Apart from ids, which are hexadecimal digits. */
function hostsPart(ref: string): string {
  return `hosts ${ref}`;
}

function gatewayPart(ref: string): string {
  return `gateway ${ref}`;
}
