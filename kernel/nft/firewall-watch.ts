/**
 * What happens to the host's nftables, as the kernel tells: one socket, and one event for whatever others did to weft's
 * table.
 *
 * Notifications come a transaction at a time, one for each object, and at the end the new generation. Those that name
 * weft's table make it stale when the generation is not one of our own.
 */
import { nftTableName } from '../../core/dataplane/firewall.ts';
import type { KernelEvent } from '../../core/dataplane/kernel.ts';
import type { ObjectKind } from '../../core/dataplane/object.ts';
import { datagramBytesMax, notificationBufferBytes, notificationsPerTurnMax } from '../limits.ts';
import { errno } from '../native/constants.ts';
import { SystemError } from '../native/libc.ts';
import { MalformedMessage } from '../netlink/attribute.ts';
import { decode, type Message, messagesOf } from '../netlink/message.ts';
import { type NetlinkSocket, netlinkNetfilter } from '../netlink/socket.ts';
import { nftAny, nftFamilyNumber, nftGroup, nftMessage } from '../netlink/tables/nftables.ts';
import type { NamespaceHandle, NamespaceRegistry } from '../netns/registry.ts';
import type { Firewall } from './firewall.ts';
import { generationOf } from './reader.ts';

const nftKinds: ReadonlySet<ObjectKind> = new Set(['nft-table', 'nft-element']);
const buffer = new Uint8Array(datagramBytesMax);

export class FirewallWatch {
  readonly #socket: NetlinkSocket;
  readonly #firewall: Firewall;
  readonly #stale: KernelEvent;
  /** Whether the transaction that is being told of concerns weft's table. */
  #touched = false;

  constructor(registry: NamespaceRegistry, firewall: Firewall, handle: NamespaceHandle) {
    this.#firewall = firewall;
    this.#stale = { type: 'stale', ns: handle.ns, kinds: nftKinds };
    this.#socket = registry.openSocket(handle, {
      receiveBufferBytes: notificationBufferBytes,
      protocol: netlinkNetfilter,
      groups: [nftGroup],
    });
  }

  get fd(): number {
    return this.#socket.fd;
  }

  /** What the waiting notifications say. */
  drain(): KernelEvent[] {
    let isStale = false;
    for (let turn = 0; turn < notificationsPerTurnMax; turn++) {
      try {
        const datagram = this.#socket.receiveRaw(buffer);
        if (datagram === undefined) break;
        for (const message of messagesOf(datagram)) isStale = this.#isForeign(message) || isStale;
      } catch (error) {
        const isLoss = error instanceof SystemError && error.errno === errno.ENOBUFS;
        if (!isLoss && !(error instanceof MalformedMessage)) throw error;
        isStale = true;
      }
    }
    return isStale ? [this.#stale] : [];
  }

  close(): void {
    this.#socket.close();
  }

  /** Whether the message ends a transaction of somebody else's in which weft's table was touched. */
  #isForeign(message: Message): boolean {
    if (message.type !== nftMessage.newGeneration) {
      const { header, attributes } = decode(nftAny, message);
      this.#touched ||= header.family === nftFamilyNumber.inet && attributes.table === nftTableName;
      return false;
    }
    const foreign = this.#touched && !this.#firewall.isOwnGeneration(generationOf(message));
    this.#touched = false;
    return foreign;
  }
}
