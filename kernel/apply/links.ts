/**
 * Making, altering and deleting links.
 *
 * A link is looked at before it is touched: what is under the name may be someone else's, or what weft made in a life
 * that ended between making and marking it. Both ends of a veth pair are born by one request; the operation on the
 * second end then finds it there and gives it its alias.
 */

import { needsReplacing } from '../../core/dataplane/equal.ts';
import type { OperationResult } from '../../core/dataplane/kernel.ts';
import { linkKey } from '../../core/dataplane/key.ts';
import { hostNamespace } from '../../core/dataplane/namespace.ts';
import type { Link, StackedType, VethType, VxlanType } from '../../core/dataplane/object.ts';
import { makesPair } from '../../core/dataplane/order.ts';
import { unreachable } from '../../core/lib/assert.ts';
import { errno } from '../native/constants.ts';
import { KernelError } from '../netlink/kernel-error.ts';
import type { Request } from '../netlink/message.ts';
import type { Peer, PeerFinder } from '../netns/peers.ts';
import type { NamespaceHandle } from '../netns/registry.ts';
import { adoptedAliasOf, aliasLengthMax, aliasOf } from '../objects/alias.ts';
import { type LinkRecord, toLink } from '../objects/link.ts';
import {
  alterLink,
  createBridge,
  createDummy,
  createStacked,
  createVeth,
  createVxlan,
  markLink,
  setAlias,
  setUp,
} from '../objects/link-requests.ts';
import { isHomeOfWeft } from '../ownership.ts';
import { deleteLinks } from './delete-links.ts';
import type { NamespacesInUse } from './namespaces-in-use.ts';
import { failed, refusal, succeeded } from './outcome.ts';

export class LinkOperations {
  readonly #namespaces: NamespacesInUse;
  readonly #peers: PeerFinder;
  /** Links that are set by the same `apply`: the other ends of pairs are born with their members. */
  readonly #wanted: ReadonlyMap<string, Link>;

  constructor(namespaces: NamespacesInUse, peers: PeerFinder, wanted: ReadonlyMap<string, Link>) {
    this.#namespaces = namespaces;
    this.#peers = peers;
    this.#wanted = wanted;
  }

  /** @throws OperationFailure, KernelError */
  set(link: Link, replace: boolean): void {
    try {
      this.#set(link, replace);
    } finally {
      this.#namespaces.linksChanged();
    }
  }

  /** Deletes those that are there and weft's; those of one namespace together. One result each. */
  deleteAll(links: readonly Link[]): OperationResult[] {
    const results: OperationResult[] = links.map(() => succeeded);
    const found = new Map<NamespaceHandle, Map<number, number>>();
    links.forEach((link, at) => {
      try {
        const one = this.#deletable(link);
        if (one === undefined) return;
        if (one.adopted) return demand(one.handle.requests.carryOut([setAlias(one.index, '')]));
        const indexes = found.get(one.handle) ?? new Map<number, number>();
        found.set(one.handle, indexes.set(one.index, at));
      } catch (error) {
        results[at] = failed(error);
      }
    });
    for (const [handle, indexes] of found) {
      const errors = tryToDelete(handle, [...indexes.keys()]);
      [...indexes.values()].forEach((at, order) => {
        const error = errors[order];
        if (error !== undefined) results[at] = failed(error);
      });
      this.#namespaces.linksChanged();
    }
    return results;
  }

  #deletable(
    link: Link,
  ): { readonly handle: NamespaceHandle; readonly index: number; readonly adopted: boolean } | undefined {
    if (link.type.type === 'loopback') return undefined;
    const handle = this.#namespaces.find(link.ns);
    const record = handle === undefined ? undefined : this.#namespaces.link(handle, link.name);
    if (handle === undefined || record === undefined) return undefined;
    const peer = this.#peerOf(handle, link, record);
    return this.#isOurs(handle, link, record, peer)
      ? { handle, index: record.index, adopted: record.weft?.adopted === true }
      : undefined;
  }

  #set(link: Link, replace: boolean): void {
    const handle = this.#namespaces.get(link.ns);
    const record = this.#namespaces.link(handle, link.name);
    if (link.type.type === 'loopback') {
      if (record !== undefined && record.up !== link.up) {
        demand(handle.requests.carryOut([setUp(record.index, link.up)]));
      }
      return;
    }
    if (aliasOf(link).length > aliasLengthMax) {
      throw refusal(errno.EINVAL, `the path of the sandbox is too long for the alias of ${link.name}`);
    }
    if (record === undefined) return this.#create(handle, link);
    if (link.type.type === 'bridge' && link.type.adopted === 'allowed' && !isMade(record)) {
      return adopt(handle, link, record);
    }
    const peer = this.#peerOf(handle, link, record);
    if (!this.#isOurs(handle, link, record, peer)) {
      throw refusal(errno.EEXIST, `${link.name} in ${link.ns} is not weft's`);
    }
    const found = this.#asWeft(handle, record, link, peer);
    if (!replace && found !== undefined && !needsReplacing(link, found)) {
      demand(handle.requests.carryOut(alterLink(link, record, this.#master(handle, link))));
      return;
    }
    this.#remove(handle, record);
    this.#namespaces.linksChanged();
    this.#create(handle, link);
  }

  #peerOf(handle: NamespaceHandle, link: Link, record: LinkRecord): Peer | undefined {
    const { type } = link;
    const likely = type.type === 'veth' ? [type.peer.ns] : 'parent' in type ? [type.parent.ns] : [];
    return this.#peers.find(handle, [record], likely).get(record.index);
  }

  /**
   * Weft's: what has its alias. In its own namespaces also what has no alias at all, and in a sandbox the mate of the
   * end that weft has: both were left by a life that ended too early, or someone took the alias away.
   */
  #isOurs(handle: NamespaceHandle, link: Link, record: LinkRecord, peer: Peer | undefined): boolean {
    if (record.loopback) return false;
    if (record.weft?.owner === link.owner) return true;
    const nameless = record.alias === '' && record.type === link.type.type;
    if (handle.type === 'owned') return record.weft !== undefined || nameless;
    if (handle.type === 'host') return record.weft !== undefined;
    if (peer === undefined || !isHomeOfWeft(this.#namespaces.registry, peer.ns)) return false;
    return record.weft !== undefined || (nameless && isTheSame(link, record, peer));
  }

  /** What is there in the data plane's words, as if its alias were right. */
  #asWeft(handle: NamespaceHandle, record: LinkRecord, link: Link, peer: Peer | undefined): Link | undefined {
    return toLink(
      { ...record, weft: { owner: link.owner } },
      {
        ns: handle.ns,
        names: new Map(),
        ...(peer === undefined ? {} : { peer }),
        underlayIsHome: record.type !== 'vxlan' || this.#peers.underlayIsHome(handle, record),
      },
    );
  }

  #create(handle: NamespaceHandle, link: Link): void {
    const master = this.#master(handle, link);
    const { type } = link;
    switch (type.type) {
      case 'bridge':
        return this.#createAndMark(handle, link, [createBridge(link)], master);
      case 'veth':
        if (!makesPair(link))
          throw refusal(errno.ENODEV, `${link.name} in ${link.ns}, whose pair was not made`);
        return this.#createAndMark(handle, link, [this.#vethRequest(link, type, master)], master);
      case 'vxlan':
        return this.#createVxlan(handle, link, type, master);
      case 'dummy':
        return withKindNamed(type.type, () => this.#createAndMark(handle, link, [createDummy(link)], master));
      case 'macvlan':
      case 'ipvlan':
      case 'vlan':
        return this.#createStacked(handle, link, type);
      case 'loopback':
        throw refusal(errno.ENODEV, `${link.name} in ${link.ns}`);
      default:
        return unreachable(type);
    }
  }

  #vethRequest(link: Link, type: VethType, master: number): Request {
    const { ns, name } = type.peer;
    this.#peers.remember(link.ns, link.owner, ns);
    this.#peers.remember(ns, link.owner, link.ns);
    const netnsFd = ns === link.ns ? undefined : this.#namespaces.get(ns).fd;
    return createVeth(link, { name, netnsFd, link: this.#wanted.get(linkKey(ns, name)) }, master);
  }

  #createVxlan(handle: NamespaceHandle, link: Link, type: VxlanType, master: number): void {
    const host = this.#namespaces.get(hostNamespace);
    demand(host.requests.carryOut([createVxlan(link, type, handle.fd)]));
    this.#createAndMark(handle, link, [], master);
  }

  #createStacked(handle: NamespaceHandle, link: Link, type: StackedType): void {
    const { ns, name } = type.parent;
    const home = this.#namespaces.get(ns);
    const parent = this.#namespaces.link(home, name);
    if (parent === undefined)
      throw refusal(errno.ENODEV, `no link ${name} in ${ns} to be the parent of ${link.name}`);
    if (parent.loopback) throw refusal(errno.EINVAL, `${name} in ${ns} is loopback, which is no parent`);
    this.#peers.remember(link.ns, link.owner, ns);
    const netnsFd = ns === link.ns ? undefined : handle.fd;
    const making = createStacked(link, type, { parent: parent.index, netnsFd });
    withKindNamed(type.type, () => demand(home.requests.carryOut([making])));
    this.#createAndMark(handle, link, [], 0);
  }

  /** All in one `send`, so that nothing stays unmarked. What was made is taken back when marking it fails. */
  #createAndMark(handle: NamespaceHandle, link: Link, making: readonly Request[], master: number): void {
    const results = handle.requests.carryOut([...making, ...markLink(link, master)]);
    demand(results.slice(0, making.length));
    const fault = results.find((error) => error !== undefined);
    if (fault === undefined) return;
    this.#namespaces.linksChanged();
    const made = this.#namespaces.link(handle, link.name);
    if (made !== undefined) this.#remove(handle, made);
    throw fault;
  }

  #remove(handle: NamespaceHandle, record: LinkRecord): void {
    demand(deleteLinks(handle.requests, [record.index]));
  }

  #master(handle: NamespaceHandle, link: Link): number {
    if (link.master === undefined) return 0;
    const bridge = this.#namespaces.link(handle, link.master);
    if (bridge === undefined)
      throw refusal(errno.ENODEV, `bridge ${link.master} of ${link.name} in ${link.ns}`);
    return bridge.index;
  }
}

function tryToDelete(handle: NamespaceHandle, indexes: readonly number[]): unknown[] {
  try {
    return deleteLinks(handle.requests, indexes);
  } catch (error) {
    return indexes.map(() => error);
  }
}

/**
 * Whether what has no alias was made for the link: it is the mate of the end that weft has, or is stacked on the same
 * parent with the MAC address that weft chose. What is stacked with its parent's may be anybody's.
 */
function isTheSame({ type, mac }: Link, record: LinkRecord, peer: Peer): boolean {
  if (type.type === 'veth') return type.peer.ns === peer.ns && type.peer.name === peer.name;
  if (!('parent' in type) || mac === undefined || mac !== record.mac) return false;
  return type.parent.ns === peer.ns && type.parent.name === peer.name;
}

/** The modules that make links of a kind, where their name is another. */
const modules: Readonly<Record<string, string>> = { vlan: '8021q' };

/** Says what the kernel lacks, which itself speaks of an unknown device type. */
function withKindNamed(kind: string, make: () => void): void {
  try {
    make();
  } catch (error) {
    if (!(error instanceof KernelError) || error.errno !== errno.EOPNOTSUPP) throw error;
    throw refusal(
      errno.EOPNOTSUPP,
      `this kernel makes no ${kind} links: load its module ${modules[kind] ?? kind}, or use another driver`,
    );
  }
}

/** By weft, and not by someone else whose link it adopts. */
function isMade({ weft }: LinkRecord): boolean {
  return weft !== undefined && weft.adopted !== true;
}

/** Marks a bridge of someone else's and brings it up. All else of it stays as it is. */
function adopt(handle: NamespaceHandle, link: Link, record: LinkRecord): void {
  const is = `${link.name} in ${link.ns} is there already and is`;
  if (record.type !== 'bridge')
    throw refusal(errno.EEXIST, `${is} no bridge but ${record.type || 'a device'}`);
  if (record.weft === undefined && record.alias !== '')
    throw refusal(errno.EEXIST, `${is} marked by its alias as someone else's; take the alias off first`);
  const alias = adoptedAliasOf(link);
  demand(
    handle.requests.carryOut([
      ...(record.alias === alias ? [] : [setAlias(record.index, alias)]),
      ...(record.up === link.up ? [] : [setUp(record.index, link.up)]),
    ]),
  );
}

/** @throws KernelError the first refusal */
function demand(results: readonly (KernelError | undefined)[]): void {
  const fault = results.find((error) => error !== undefined);
  if (fault !== undefined) throw fault;
}
