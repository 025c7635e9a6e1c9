/**
 * Carrying out operations: in order, many to a system call, one result each.
 *
 * Addresses, routes, neighbours and forwarding entries wait in a batch; links, namespaces, sysctls and hosts files are
 * done at once, after everything that waits. What concerns the firewall waits as well, for one transaction. So within a namespace the order is the given one, and nothing that depends
 * on another namespace's links runs ahead of them.
 */

import type { Operation, OperationResult } from '../../core/dataplane/kernel.ts';
import { linkKey } from '../../core/dataplane/key.ts';
import { type Namespace, parseNamespace } from '../../core/dataplane/namespace.ts';
import type {
  Address,
  FdbEntry,
  HostsFile,
  KernelObject,
  Link,
  Neighbour,
  NetnsObject,
  Route,
  Sysctl,
} from '../../core/dataplane/object.ts';
import { isTransactional } from '../../core/dataplane/order.ts';
import { unreachable } from '../../core/lib/assert.ts';
import { familyOf, type InterfaceAddress, prefixOf } from '../../core/model/address.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { HostsFiles } from '../hosts-file.ts';
import { decodedMessagesBeforeYield } from '../limits.ts';
import { errno } from '../native/constants.ts';
import type { Request } from '../netlink/message.ts';
import type { PeerFinder } from '../netns/peers.ts';
import type { NamespaceHandle, NamespaceRegistry } from '../netns/registry.ts';
import type { Firewall, NftOperation } from '../nft/firewall.ts';
import { deleteAddress, dumpAddresses, setAddress } from '../objects/address.ts';
import { deleteFdbEntry, setFdbEntry } from '../objects/fdb-entry.ts';
import { dumpLinks } from '../objects/link.ts';
import { deleteNeighbour, dumpNeighbours, readNeighbour, setNeighbour } from '../objects/neighbour.ts';
import { appendRoute, deleteRoute, type RouteRecord } from '../objects/route.ts';
import { writeSysctl } from '../sysctl.ts';
import { Batch } from './batch.ts';
import { deleteLinks } from './delete-links.ts';
import { LinkOperations } from './links.ts';
import { NamespacesInUse } from './namespaces-in-use.ts';
import { failed, refusal, succeeded } from './outcome.ts';

/** Objects that live on a link and are made by one request. */
type LinkedObject = Address | Route | Neighbour | FdbEntry;

/** Refusals of a deletion that mean that there is nothing to delete. */
const absences: readonly number[] = [errno.ENOENT, errno.ESRCH, errno.ENODEV, errno.EADDRNOTAVAIL];

export class Applier {
  readonly #registry: NamespaceRegistry;
  readonly #peers: PeerFinder;
  readonly #hosts: HostsFiles;
  readonly #firewall: Firewall;
  readonly #clock: Clock;

  constructor(
    registry: NamespaceRegistry,
    peers: PeerFinder,
    hosts: HostsFiles,
    firewall: Firewall,
    clock: Clock,
  ) {
    this.#firewall = firewall;
    this.#registry = registry;
    this.#peers = peers;
    this.#hosts = hosts;
    this.#clock = clock;
  }

  async apply(operations: readonly Operation[]): Promise<OperationResult[]> {
    const run = new Run(operations, this.#registry, this.#peers, this.#hosts, this.#firewall);
    try {
      for (let at = 0; at < operations.length; at++) {
        if (at > 0 && at % decodedMessagesBeforeYield === 0 && !run.isInTransaction) {
          run.flush();
          await this.#clock.sleep(0);
        }
        run.take(at);
      }
      run.flush();
      return run.results;
    } finally {
      run.namespaces.releaseAll();
    }
  }
}

class Run {
  readonly results: OperationResult[];
  readonly namespaces: NamespacesInUse;
  readonly #batch: Batch;
  readonly #operations: readonly Operation[];
  readonly #links: LinkOperations;
  readonly #hosts: HostsFiles;
  readonly #firewall: Firewall;
  /** Operations that wait for their transaction, by their place. */
  readonly #transaction: Map<number, NftOperation> = new Map();
  /** Links that wait to be deleted together, by operation. */
  readonly #deletions: Map<number, Link> = new Map();

  constructor(
    operations: readonly Operation[],
    registry: NamespaceRegistry,
    peers: PeerFinder,
    hosts: HostsFiles,
    firewall: Firewall,
  ) {
    this.#firewall = firewall;
    this.#operations = operations;
    this.#hosts = hosts;
    this.results = operations.map(() => succeeded);
    this.#batch = new Batch(this.results);
    this.namespaces = new NamespacesInUse(registry);
    this.#links = new LinkOperations(this.namespaces, peers, wantedLinks(operations));
  }

  take(at: number): void {
    const { op, object } = this.#operations[at] as Operation;
    try {
      if (object.kind === 'link' && op === 'delete') {
        this.#commit();
        this.#batch.flush();
        this.#deletions.set(at, object);
        return;
      }
      this.#deleteLinks();
      // Making and removing namespaces has no part in it, and may lie in between.
      if (!isTransactional(object) && object.kind !== 'netns') this.#commit();
      this.#dispatch(at, op, object);
    } catch (error) {
      this.results[at] = failed(error);
    }
  }

  /** Carries out everything that waits. */
  flush(): void {
    this.#commit();
    this.#deleteLinks();
    this.#batch.flush();
  }

  get isInTransaction(): boolean {
    return this.#transaction.size > 0;
  }

  /** Of one namespace after the other; weft has a firewall in one only. */
  #commit(): void {
    if (this.#transaction.size === 0) return;
    const places = [...this.#transaction.keys()];
    const operations = [...this.#transaction.values()];
    this.#transaction.clear();
    for (const ns of new Set(operations.map(({ object }) => object.ns))) {
      const at = places.filter((_, index) => operations[index]?.object.ns === ns);
      this.#commitIn(
        ns,
        at,
        operations.filter(({ object }) => object.ns === ns),
      );
    }
  }

  #commitIn(ns: Namespace, places: readonly number[], operations: readonly NftOperation[]): void {
    try {
      const results = this.#firewall.apply(this.namespaces.get(ns), operations);
      places.forEach((at, index) => {
        this.results[at] = results[index] ?? succeeded;
      });
    } catch (error) {
      for (const at of places) this.results[at] = failed(error);
    }
  }

  #deleteLinks(): void {
    if (this.#deletions.size === 0) return;
    const places = [...this.#deletions.keys()];
    const results = this.#links.deleteAll([...this.#deletions.values()]);
    this.#deletions.clear();
    places.forEach((at, order) => {
      this.results[at] = results[order] ?? succeeded;
    });
  }

  #dispatch(at: number, op: Operation['op'], object: KernelObject): void {
    if (
      object.kind === 'address' ||
      object.kind === 'route' ||
      object.kind === 'neighbour' ||
      object.kind === 'fdb'
    ) {
      return this.#queue(at, op, object);
    }
    this.#batch.flush();
    switch (object.kind) {
      case 'link':
        return this.#links.set(object, op === 'replace');
      case 'netns':
        return this.#netns(op, object);
      case 'sysctl':
        return this.#sysctl(op, object);
      case 'hosts':
        return this.#hostsFile(op, object);
      case 'nft-table':
      case 'nft-element':
      case 'nft-accepts':
        this.#transaction.set(at, { op, object });
        return;
      default:
        return unreachable(object);
    }
  }

  #queue(at: number, op: Operation['op'], object: LinkedObject): void {
    if (op === 'delete') {
      const handle = this.namespaces.find(object.ns);
      const link = handle === undefined ? undefined : this.namespaces.link(handle, object.link);
      // On a link that is not weft's there is nothing of weft's.
      if (handle === undefined || link === undefined) return;
      if (handle.type !== 'owned' && !(link.weft !== undefined && this.#isOurs(handle, object, link.index)))
        return;
      this.#batch.add(handle, at, [deletion(object, link.index)], absences);
      if (object.kind === 'address' || object.kind === 'route') this.namespaces.routesChanged(object.ns);
      return;
    }
    const handle = this.namespaces.get(object.ns);
    const index = this.namespaces.linkIndex(handle, object.link);
    if (object.kind === 'route') return this.#setRoute(at, handle, object, index);
    if (object.kind === 'address') this.namespaces.routesChanged(object.ns);
    if (op === 'replace') this.#batch.add(handle, at, [deletion(object, index)], absences);
    this.#batch.add(handle, at, [making(object, index)], []);
  }

  /** In a user's sandbox the same key may be the user's: only what carries weft's number is deleted. */
  #isOurs(handle: NamespaceHandle, object: LinkedObject, index: number): boolean {
    // What waits may be about to make it.
    this.#batch.flush();
    switch (object.kind) {
      case 'address':
        return weftAddresses(handle, index).includes(object.address);
      case 'neighbour':
        return dumpNeighbours(handle.requests).some((message) => {
          const record = readNeighbour(message);
          return record?.weft === true && record.index === index && record.address === object.address;
        });
      case 'route':
        // Weft's own are deleted by their number; connected ones are as good as the address that they come with.
        return (
          object.protocol === 'weft' ||
          weftAddresses(handle, index).some((address) => prefixOf(address) === object.destination)
        );
      case 'fdb':
        return true;
      default:
        return unreachable(object);
    }
  }

  /** There may be another route to the destination over the link, or this very one: the table is asked first. */
  #setRoute(at: number, handle: NamespaceHandle, route: Route, index: number): void {
    const table = this.#routes(handle);
    const same = table.filter((one) => one.index === index && one.destination === route.destination);
    const equal = same.filter(
      (one) =>
        one.via === route.via &&
        one.source === route.source &&
        one.metric === route.metric &&
        one.protocol === route.protocol,
    );
    for (const other of same) {
      if (equal.includes(other)) continue;
      const { via, source, metric, protocol } = other;
      const old: Route = {
        kind: 'route',
        ns: route.ns,
        link: route.link,
        destination: route.destination,
        protocol,
        ...(via === undefined ? {} : { via }),
        ...(source === undefined ? {} : { source }),
        ...(metric === undefined ? {} : { metric }),
      };
      this.#batch.add(handle, at, [deleteRoute(old, index)], absences);
    }
    if (equal.length > 0) return;
    // IPv4 refuses to append what is there to the last member; IPv6 also what differs in its protocol alone.
    const tolerated = familyOf(route.destination) === 4 ? [errno.EEXIST] : [];
    this.#batch.add(handle, at, [appendRoute(route, index)], tolerated);
    table.push({ ...route, index });
  }

  #routes(handle: NamespaceHandle): RouteRecord[] {
    const known = this.namespaces.routes(handle.ns);
    if (known !== undefined) return known;
    // Addresses that still wait bring routes with them, or take them along.
    this.#batch.flush();
    return this.namespaces.readRoutes(handle);
  }

  #netns(op: Operation['op'], object: NetnsObject): void {
    const parsed = parseNamespace(object.ns);
    if (parsed.type !== 'owned' || !this.namespaces.registry.isOwnedName(parsed.name)) {
      throw refusal(errno.EPERM, `${object.ns} is not weft's to make or remove`);
    }
    if (op !== 'set') this.#removeNetns(object, parsed.name);
    if (op !== 'delete') this.namespaces.registry.named.create(parsed.name);
    this.namespaces.namespaceChanged(object.ns);
  }

  /**
   * The kernel takes a namespace down at its leisure. Its links are deleted first, so that their names, VNIs and mates
   * in sandboxes are free when this returns.
   */
  #removeNetns(object: NetnsObject, name: string): void {
    const handle = this.namespaces.find(object.ns);
    if (handle !== undefined) {
      const ours = dumpLinks(handle.requests).filter((link) => link.weft !== undefined);
      deleteLinks(
        handle.requests,
        ours.map((link) => link.index),
      );
    }
    this.namespaces.registry.named.remove(name);
    this.namespaces.namespaceChanged(object.ns);
  }

  #sysctl(op: Operation['op'], object: Sysctl): void {
    if (op === 'delete') return;
    const handle = this.namespaces.get(object.ns);
    writeSysctl(this.namespaces.registry.home, handle.fd, object.name, object.value);
  }

  #hostsFile(op: Operation['op'], object: HostsFile): void {
    if (op === 'delete') this.#hosts.remove(object.ns);
    else this.#hosts.set(object.ns, object.entries);
  }
}

function wantedLinks(operations: readonly Operation[]): Map<string, Link> {
  const wanted = new Map<string, Link>();
  for (const { op, object } of operations) {
    if (op !== 'delete' && object.kind === 'link') wanted.set(linkKey(object.ns, object.name), object);
  }
  return wanted;
}

function weftAddresses(handle: NamespaceHandle, index: number): InterfaceAddress[] {
  return dumpAddresses(handle.requests)
    .filter((record) => record.weft && record.index === index)
    .map((record) => record.address);
}

function making(object: Exclude<LinkedObject, Route>, index: number): Request {
  switch (object.kind) {
    case 'address':
      return setAddress(object.address, index);
    case 'neighbour':
      return setNeighbour(object.address, object.mac, index);
    case 'fdb':
      return setFdbEntry(object, index);
    default:
      return unreachable(object);
  }
}

function deletion(object: LinkedObject, index: number): Request {
  switch (object.kind) {
    case 'address':
      return deleteAddress(object.address, index);
    case 'route':
      return deleteRoute(object, index);
    case 'neighbour':
      return deleteNeighbour(object.address, index);
    case 'fdb':
      return deleteFdbEntry(object, index);
    default:
      return unreachable(object);
  }
}
