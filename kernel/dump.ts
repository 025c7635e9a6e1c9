/** What is there: everything of weft's in one namespace, as the kernel says. */

import type { Kernel } from '../core/dataplane/kernel.ts';
import { hostNamespace, type Namespace, sandboxNamespace } from '../core/dataplane/namespace.ts';
import type { Address, KernelObject, ObjectKind } from '../core/dataplane/object.ts';
import { WeftError } from '../core/errors.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { HostsFiles } from './hosts-file.ts';
import { decodedMessagesBeforeYield, namespacesBeforeYield } from './limits.ts';
import type { Message } from './netlink/message.ts';
import type { PeerFinder } from './netns/peers.ts';
import type { NamespaceHandle, NamespaceRegistry } from './netns/registry.ts';
import type { Firewall } from './nft/firewall.ts';
import { dumpAddresses } from './objects/address.ts';
import { dumpFdb, readFdbEntry } from './objects/fdb-entry.ts';
import { dumpLinks } from './objects/link.ts';
import { dumpNeighbours, readNeighbour } from './objects/neighbour.ts';
import { dumpRoutes } from './objects/route.ts';
import {
  connectedRoutes,
  type OwnLinks,
  ownAddress,
  ownFdbEntry,
  ownNeighbour,
  ownRoute,
  readOwnLinks,
} from './ownership.ts';
import { readSysctls } from './sysctl.ts';

type DumpOptions = NonNullable<Parameters<Kernel['dump']>[1]>;

export class NamespaceDumper {
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

  /** @throws KernelError, WeftError `permission-denied` */
  async dump(ns: Namespace, options: DumpOptions): Promise<KernelObject[]> {
    const wants = (kind: ObjectKind): boolean => options.kinds?.has(kind) ?? true;
    const objects: KernelObject[] = [];
    const hosts = wants('hosts') ? this.#hosts.read(ns) : undefined;
    const handle = this.#registry.acquire(ns);
    if (typeof handle === 'object') {
      try {
        await this.#inside(handle, options, wants, objects);
      } finally {
        this.#registry.release(handle);
      }
    } else if (handle === 'denied') {
      throw new WeftError('permission-denied', `Cannot look into ${ns}: the daemon lacks the right`);
    }
    if (hosts !== undefined) objects.push(hosts);
    return objects;
  }

  /** Whether anything of weft's is in the host's namespace. */
  isInHost(): boolean {
    const handle = this.#registry.acquire(hostNamespace) as NamespaceHandle;
    return dumpLinks(handle.requests).some((link) => link.weft !== undefined) || this.#firewall.isThere();
  }

  /**
   * Named sandboxes with a link of weft's that is stacked on one of the host's. Nothing in the host's namespace leads to
   * those, as the near end of a veth pair does, so each is looked into.
   */
  async sandboxes(): Promise<Namespace[]> {
    const found: Namespace[] = [];
    const { named } = this.#registry;
    for (const [at, name] of named.names().entries()) {
      if (at > 0 && at % namespacesBeforeYield === 0) await this.#clock.sleep(0);
      if (this.#registry.isOwnedName(name)) continue;
      const handle = this.#registry.acquire(sandboxNamespace(name));
      if (typeof handle !== 'object') continue;
      try {
        if (this.#hasStackedLink(handle)) found.push(handle.ns);
      } finally {
        this.#registry.release(handle);
      }
    }
    return found;
  }

  #hasStackedLink(handle: NamespaceHandle): boolean {
    if (!dumpLinks(handle.requests).some(({ weft, stacked }) => weft !== undefined && stacked !== undefined))
      return false;
    return [...readOwnLinks(this.#registry, this.#peers, handle).values()].some(
      ({ type }) => 'parent' in type,
    );
  }

  async #inside(
    handle: NamespaceHandle,
    options: DumpOptions,
    wants: (kind: ObjectKind) => boolean,
    objects: KernelObject[],
  ): Promise<void> {
    const { ns, requests } = handle;
    if (handle.type === 'owned' && wants('netns')) objects.push({ kind: 'netns', ns });
    if (wants('sysctl')) {
      for (const { name, value } of readSysctls(this.#registry.home, handle.fd, options.sysctls ?? [])) {
        objects.push({ kind: 'sysctl', ns, name, value });
      }
    }
    if ((['nft-table', 'nft-element', 'nft-accepts'] as const).some(wants))
      objects.push(...this.#firewall.dump(handle, wants));
    if (!(['link', 'address', 'route', 'neighbour', 'fdb'] as const).some(wants)) return;
    const links = readOwnLinks(this.#registry, this.#peers, handle);
    if (wants('link')) objects.push(...links.values());
    this.#addressesAndRoutes(handle, links, wants, objects);
    // All is read before anything is decoded at leisure: the tables belong to one moment, as far as that goes.
    const neighbours = wants('neighbour') ? dumpNeighbours(requests) : [];
    const entries = wants('fdb') ? dumpFdb(requests) : [];
    await this.#decode(neighbours, objects, (message) => {
      const record = readNeighbour(message);
      return record === undefined ? undefined : ownNeighbour(handle, links, record);
    });
    await this.#decode(entries, objects, (message) => {
      const record = readFdbEntry(message);
      return record === undefined ? undefined : ownFdbEntry(handle, links, record);
    });
  }

  #addressesAndRoutes(
    handle: NamespaceHandle,
    links: OwnLinks,
    wants: (kind: ObjectKind) => boolean,
    objects: KernelObject[],
  ): void {
    if (!wants('address') && !wants('route')) return;
    const addresses = ownAddresses(handle, links);
    if (wants('address')) objects.push(...addresses);
    if (!wants('route')) return;
    const connected = connectedRoutes(addresses);
    for (const record of dumpRoutes(handle.requests)) {
      const route = ownRoute(handle, links, record, () => connected);
      if (route !== undefined) objects.push(route);
    }
  }

  async #decode(
    messages: readonly Message[],
    objects: KernelObject[],
    read: (message: Message) => KernelObject | undefined,
  ): Promise<void> {
    for (const [at, message] of messages.entries()) {
      if (at > 0 && at % decodedMessagesBeforeYield === 0) await this.#clock.sleep(0);
      const object = read(message);
      if (object !== undefined) objects.push(object);
    }
  }
}

export function ownAddresses(handle: NamespaceHandle, links: OwnLinks): Address[] {
  return dumpAddresses(handle.requests).flatMap((record) => ownAddress(handle, links, record) ?? []);
}
