/**
 * One namespace that is followed: its notification socket, and what must be remembered to understand it.
 *
 * Messages name links by number only, and those about a link do not say enough, so links are looked up anew when they
 * are touched, after everything that waits has been read. Where the kernel changes things without a word (routes that go
 * with a link or are replaced) or too fast to be read, the answer is `stale`.
 */
import type { KernelEvent } from '../../core/dataplane/kernel.ts';
import type { Namespace } from '../../core/dataplane/namespace.ts';
import type { Link, ObjectKind } from '../../core/dataplane/object.ts';
import { datagramBytesMax, notificationBufferBytes, notificationsPerTurnMax } from '../limits.ts';
import { errno } from '../native/constants.ts';
import { SystemError } from '../native/libc.ts';
import { MalformedMessage } from '../netlink/attribute.ts';
import { KernelError } from '../netlink/kernel-error.ts';
import { decode, type Message, messagesOf } from '../netlink/message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { addressMessage } from '../netlink/tables/address.ts';
import { group } from '../netlink/tables/common.ts';
import { link as linkLayout, linkMessage } from '../netlink/tables/link.ts';
import { neighbourMessage } from '../netlink/tables/neighbour.ts';
import { routeMessage } from '../netlink/tables/route.ts';
import type { PeerFinder } from '../netns/peers.ts';
import type { NamespaceHandle, NamespaceRegistry } from '../netns/registry.ts';
import { getLinkByIndex, type LinkRecord, readLink } from '../objects/link.ts';
import { type OwnLinks, readOwnLinks, toOwnLinks } from '../ownership.ts';
import { eventsOf } from './notifications.ts';

const onLinks: ReadonlySet<ObjectKind> = new Set(['address', 'route', 'neighbour', 'fdb']);
const buffer = new Uint8Array(datagramBytesMax);

export class FollowedNamespace {
  readonly handle: NamespaceHandle;
  readonly socket: NetlinkSocket;
  readonly #registry: NamespaceRegistry;
  readonly #peers: PeerFinder;
  #links: OwnLinks;
  /** Those, and the ones that the latest notifications took away: for what they say of things on them. */
  #seen: Map<number, Link> = new Map();

  /** @param handle is closed with the object */
  constructor(registry: NamespaceRegistry, peers: PeerFinder, handle: NamespaceHandle) {
    this.#registry = registry;
    this.#peers = peers;
    this.handle = handle;
    // First heard, then looked at: what happens in between is told twice, not never.
    this.socket = registry.openSocket(handle, {
      receiveBufferBytes: notificationBufferBytes,
      groups: Object.values(group),
    });
    try {
      this.#links = readOwnLinks(registry, peers, handle);
    } catch (error) {
      this.socket.close();
      throw error;
    }
  }

  get ns(): Namespace {
    return this.handle.ns;
  }

  /** What the waiting notifications say. */
  drain(): KernelEvent[] {
    try {
      const messages = this.#receive();
      return [...this.#linkEvents(messages), ...this.#otherEvents(messages)];
    } catch (error) {
      const lost =
        error instanceof MalformedMessage ||
        error instanceof KernelError ||
        (error instanceof SystemError && error.errno === errno.ENOBUFS);
      if (!lost) throw error;
      return this.#startOver();
    }
  }

  close(): void {
    this.socket.close();
    this.#registry.close(this.handle);
  }

  /**
   * Events were lost. What waits is older than what is looked up now, so it is thrown away; and it must be, to the last
   * one, because a socket that has overflowed takes nothing in until it is empty, and says so only once
   * (NETLINK_S_CONGESTED of `net/netlink/af_netlink.c`).
   */
  #startOver(): KernelEvent[] {
    this.#discard();
    this.#links = readOwnLinks(this.#registry, this.#peers, this.handle);
    return [{ type: 'stale', ns: this.ns }];
  }

  #discard(): void {
    for (;;) {
      try {
        if (this.socket.receiveRaw(buffer) === undefined) return;
      } catch (error) {
        const isLoss = error instanceof SystemError && error.errno === errno.ENOBUFS;
        if (!isLoss && !(error instanceof MalformedMessage)) throw error;
      }
    }
  }

  #receive(): Message[] {
    const messages: Message[] = [];
    for (let turn = 0; turn < notificationsPerTurnMax; turn++) {
      const datagram = this.socket.receiveRaw(buffer);
      if (datagram === undefined) break;
      messages.push(...messagesOf(datagram.slice()));
    }
    return messages;
  }

  #linkEvents(messages: readonly Message[]): KernelEvent[] {
    const touched = new Set(
      messages
        .filter(({ type }) => type === linkMessage.new || type === linkMessage.delete)
        .map((message) => decode(linkLayout, message).header.index),
    );
    this.#seen = new Map(this.#links);
    if (touched.size === 0) return [];
    const found = this.#look([...touched]);
    const links = new Map(this.#links);
    const events: KernelEvent[] = [];
    let lost = false;
    for (const index of touched) {
      const before = this.#links.get(index);
      const after = found.get(index);
      if (before !== undefined && before.name !== after?.name) {
        events.push({ type: 'absent', object: before });
        links.delete(index);
      }
      if (after !== undefined) {
        events.push({ type: 'present', object: after });
        links.set(index, after);
        this.#seen.set(index, after);
      }
      lost ||= before !== undefined && (before.up || before.name !== after?.name) && after?.up !== true;
    }
    this.#links = links;
    // Routes go without a word when their link goes or goes down.
    if (lost) events.push({ type: 'stale', ns: this.ns, kinds: onLinks });
    return events;
  }

  #otherEvents(messages: readonly Message[]): KernelEvent[] {
    const around = { handle: this.handle, links: this.#links, seen: this.#seen };
    return messages.flatMap((message) => {
      switch (message.type) {
        case addressMessage.new:
        case addressMessage.delete:
        case routeMessage.new:
        case routeMessage.delete:
        case neighbourMessage.new:
        case neighbourMessage.delete:
          return eventsOf(message, around);
        default:
          return [];
      }
    });
  }

  /** weft's among the links of these numbers, as they are now. */
  #look(indexes: readonly number[]): OwnLinks {
    const records = this.#ask(indexes);
    const names = new Map([...this.#links].map(([index, { name }]) => [index, name]));
    for (const record of records) names.set(record.index, record.name);
    const masters = records
      .map((record) => record.master)
      .filter((index) => index !== 0 && !names.has(index));
    for (const record of this.#ask(masters)) names.set(record.index, record.name);
    return toOwnLinks(this.#registry, this.#peers, this.handle, records, names);
  }

  #ask(indexes: readonly number[]): LinkRecord[] {
    return this.handle.requests
      .ask(
        indexes.map((index) => getLinkByIndex(index)),
        readLink,
      )
      .flatMap((answer) => (answer instanceof KernelError ? [] : [answer]));
  }
}
