/**
 * What happens to the host's nftables, as the kernel tells: one socket, and one event for whatever others did to weft's
 * table, or, while weft has rules in theirs, to their own.
 *
 * Notifications come a transaction at a time, one for each object, and at the end the new generation. Those that name
 * weft's table make it stale when the generation is not one of our own. So do those about chains and rules of others,
 * for weft's rules in them.
 */
import { nftTableName } from '../../core/dataplane/firewall.ts';
import type { KernelEvent } from '../../core/dataplane/kernel.ts';
import type { Namespace } from '../../core/dataplane/namespace.ts';
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

const nftKinds: ReadonlySet<ObjectKind> = new Set(['nft-table', 'nft-element', 'nft-accepts']);
const foreignKinds: ReadonlySet<ObjectKind> = new Set(['nft-accepts']);
const buffer = new Uint8Array(datagramBytesMax);

export class FirewallWatch {
  readonly #socket: NetlinkSocket;
  readonly #firewall: Firewall;
  readonly #ns: Namespace;
  /** What the transaction that is being told of concerns: weft's table, tables of others, or neither so far. */
  #touched: Touched | undefined;

  constructor(registry: NamespaceRegistry, firewall: Firewall, handle: NamespaceHandle) {
    this.#firewall = firewall;
    this.#ns = handle.ns;
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
    let touched: Touched | undefined;
    for (let turn = 0; turn < notificationsPerTurnMax; turn++) {
      try {
        const datagram = this.#socket.receiveRaw(buffer);
        if (datagram === undefined) break;
        for (const message of messagesOf(datagram)) touched = wider(touched, this.#follow(message));
      } catch (error) {
        const isLoss = error instanceof SystemError && error.errno === errno.ENOBUFS;
        if (!isLoss && !(error instanceof MalformedMessage)) throw error;
        touched = 'ours';
      }
    }
    if (touched === undefined || (touched === 'theirs' && !this.#firewall.isAccepting)) return [];
    return [{ type: 'stale', ns: this.#ns, kinds: touched === 'ours' ? nftKinds : foreignKinds }];
  }

  close(): void {
    this.#socket.close();
  }

  /** What a transaction of somebody else's has touched, where the message ends one. */
  #follow(message: Message): Touched | undefined {
    if (message.type !== nftMessage.newGeneration) {
      const { header, attributes } = decode(nftAny, message);
      const isOurs = header.family === nftFamilyNumber.inet && attributes.table === nftTableName;
      this.#touched = wider(this.#touched, isOurs ? 'ours' : 'theirs');
      return undefined;
    }
    const touched = this.#firewall.isOwnGeneration(generationOf(message)) ? undefined : this.#touched;
    this.#touched = undefined;
    return touched;
  }
}

type Touched = 'ours' | 'theirs';

/** Where weft's own table was touched, all is looked at. */
function wider(a: Touched | undefined, b: Touched | undefined): Touched | undefined {
  return a === 'ours' || b === 'ours' ? 'ours' : (a ?? b);
}
