/**
 * The other ends of veth pairs, by name; and, found the same way, what other links are stacked on.
 *
 * The kernel says of an end only its number and the number of its namespace, as the asking namespace counts. Names of
 * namespaces are found by asking the kernel for the number of each candidate (RTM_GETNSID); names of links by asking
 * through the number (IFLA_TARGET_NETNSID, Linux 4.20), so no other namespace is entered.
 *
 * To ask about every namespace of a machine for each new link would cost as much as there are sandboxes. So where the
 * mate of a link was found once is asked first the next time; the kernel confirms it, or the search begins anew.
 */
import { hostNamespace, type Namespace, sandboxNamespace } from '../../core/dataplane/namespace.ts';
import { peersRememberedMax } from '../limits.ts';
import { KernelError } from '../netlink/kernel-error.ts';
import { decode, request } from '../netlink/message.ts';
import { namespaceId, namespaceIdMessage, noNamespaceId } from '../netlink/tables/namespace-id.ts';
import { getLinkByIndex, type LinkRecord, readLink } from '../objects/link.ts';
import type { NamespaceHandle, NamespaceRegistry } from './registry.ts';

export interface Peer {
  readonly ns: Namespace;
  readonly name: string;
}

/** A namespace that nothing leads to. No reference is written so, hence no desired object lies in it. */
const unknownNamespace: Namespace = sandboxNamespace('?');

/** Types of links of which it matters what they lead to. */
const linkedTypes: ReadonlySet<string> = new Set(['veth', 'macvlan', 'ipvlan', 'vlan']);

/** Namespaces that are open at once while one is looked for. */
const candidatesAtOnce = 128;

export class PeerFinder {
  readonly #registry: NamespaceRegistry;
  /** Where the mates of links were last, by the link's namespace and owner; those asked for longest ago come first. */
  readonly #remembered: Map<string, Namespace> = new Map();

  constructor(registry: NamespaceRegistry) {
    this.#registry = registry;
  }

  /** Tells where the mate of a link is to be looked for first. */
  remember(ns: Namespace, owner: string, peer: Namespace): void {
    const key = `${ns} ${owner}`;
    this.#remembered.delete(key);
    this.#remembered.set(key, peer);
    if (this.#remembered.size <= peersRememberedMax) return;
    for (const oldest of this.#remembered.keys()) {
      this.#remembered.delete(oldest);
      return;
    }
  }

  /**
   * Peers of the veth ends among `links`, and parents of those that are stacked, by the number of each.
   *
   * @param hints namespaces that are likely; each link's own alias is one without saying
   */
  find(
    handle: NamespaceHandle,
    links: readonly LinkRecord[],
    hints: readonly Namespace[] = [],
  ): Map<number, Peer> {
    const ends = links.filter((link) => linkedTypes.has(link.type) && link.lower.index !== 0);
    const names = this.#names(handle, ends);
    const namespaces = this.#namespaces(handle, ends, hints);
    const peers = new Map<number, Peer>();
    ends.forEach((end, at) => {
      const name = names[at];
      const ns = namespaces(end);
      if (name === undefined) return;
      peers.set(end.index, { ns, name });
      if (end.weft !== undefined && ns !== unknownNamespace) this.remember(handle.ns, end.weft.owner, ns);
    });
    return peers;
  }

  /** True when the UDP socket of a VXLAN link lies in the daemon's namespace. */
  underlayIsHome(handle: NamespaceHandle, link: LinkRecord): boolean {
    const { namespaceId: id } = link.lower;
    if (id === undefined) return handle.inode === this.#registry.host.inode;
    return this.#numbers(handle, [this.#registry.host.fd])[0] === id;
  }

  #names(handle: NamespaceHandle, ends: readonly LinkRecord[]): (string | undefined)[] {
    const questions = ends.map((end) => getLinkByIndex(end.lower.index, end.lower.namespaceId));
    // An end that is gone meanwhile has no name, and its mate is going too.
    return handle.requests
      .ask(questions, (message) => readLink(message).name)
      .map((answer) => (answer instanceof KernelError ? undefined : answer));
  }

  #namespaces(
    handle: NamespaceHandle,
    ends: readonly LinkRecord[],
    hints: readonly Namespace[],
  ): (end: LinkRecord) => Namespace {
    const wanted = new Set(ends.flatMap((end) => end.lower.namespaceId ?? []));
    const ofHint = new Map<Namespace, number>();
    const ofNumber = new Map<number, Namespace>();
    const learn = (candidates: readonly Namespace[]): void => {
      for (const [ns, number] of this.#identify(handle, candidates)) {
        ofHint.set(ns, number);
        if (!ofNumber.has(number)) ofNumber.set(number, ns);
      }
    };
    const missing = (): boolean => [...wanted].some((number) => !ofNumber.has(number));
    learn([...new Set([...hints, ...ends.flatMap((end) => this.#likely(handle, end))])]);
    for (const candidates of this.#guesses(handle)) {
      if (!missing()) break;
      const all = candidates();
      for (let at = 0; at < all.length && missing(); at += candidatesAtOnce) {
        learn(all.slice(at, at + candidatesAtOnce));
      }
    }
    return (end) => {
      const { namespaceId: number } = end.lower;
      if (number === undefined) return handle.ns;
      const hint = [...this.#likely(handle, end), ...hints].find((ns) => ofHint.get(ns) === number);
      return hint ?? ofNumber.get(number) ?? unknownNamespace;
    };
  }

  /** What the link's own alias says, and where its mate was before. */
  #likely(handle: NamespaceHandle, { weft }: LinkRecord): Namespace[] {
    if (weft === undefined) return [];
    const before = this.#remembered.get(`${handle.ns} ${weft.owner}`);
    return [weft.peer, before].filter((ns) => ns !== undefined);
  }

  /** Likely places first: sandboxes are paired with the host or owned namespaces, and the other way round. */
  #guesses(handle: NamespaceHandle): (() => readonly Namespace[])[] {
    const owned = (): Namespace[] => this.#registry.owned();
    const sandboxes = (): Namespace[] =>
      this.#registry.named
        .names()
        .filter((name) => !this.#registry.isOwnedName(name))
        .map(sandboxNamespace);
    const home = (): Namespace[] => [hostNamespace];
    // Few are cheap to ask: the host is one, and the networks of a host are fewer than its sandboxes.
    return handle.type === 'sandbox' ? [home, owned, sandboxes] : [sandboxes, owned, home];
  }

  #identify(handle: NamespaceHandle, candidates: readonly Namespace[]): [Namespace, number][] {
    const open = candidates.flatMap((ns) => {
      const opened = this.#registry.acquire(ns);
      return typeof opened === 'object' ? [opened] : [];
    });
    try {
      const numbers = this.#numbers(
        handle,
        open.map((one) => one.fd),
      );
      return open.flatMap((one, at): [Namespace, number][] => {
        const number = numbers[at] ?? noNamespaceId;
        return number === noNamespaceId ? [] : [[one.ns, number]];
      });
    } finally {
      for (const one of open) this.#registry.release(one);
    }
  }

  /** Numbers of open namespaces, as that of `handle` counts. */
  #numbers(handle: NamespaceHandle, fds: readonly number[]): number[] {
    const questions = fds.map((fd) => request(namespaceId, namespaceIdMessage.get, 0, {}, { fd }));
    return handle.requests
      .ask(questions, (message) => decode(namespaceId, message).attributes.id ?? noNamespaceId)
      .map((answer) => (answer instanceof KernelError ? noNamespaceId : answer));
  }
}
