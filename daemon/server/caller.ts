/** Who is at the other end of a connection: the uid that the kernel knows it by. */
import type { Socket } from 'node:net';
import { WeftError } from '../../core/errors.ts';

/** The uid of the process that connected, from `SO_PEERCRED` (unix(7)) of the accepted socket. */
export type PeerUid = (fd: number) => number;

export class Callers {
  readonly #peerUid: PeerUid;
  readonly #known = new WeakMap<Socket, string>();

  constructor(peerUid: PeerUid) {
    this.#peerUid = peerUid;
  }

  /** `uid:N`. Asked once per connection. @throws WeftError `permission-denied` when the kernel does not say */
  of(socket: Socket): string {
    const known = this.#known.get(socket);
    if (known !== undefined) return known;
    const by = `uid:${this.#ask(socket)}`;
    this.#known.set(socket, by);
    return by;
  }

  #ask(socket: Socket): number {
    try {
      return this.#peerUid(descriptorOf(socket));
    } catch (cause) {
      throw new WeftError('permission-denied', 'Cannot tell which user is asking: connect anew', { cause });
    }
  }
}

/** Node has no public way to a socket's descriptor; `_handle.fd` has been there in every release so far. */
function descriptorOf(socket: Socket): number {
  const fd = (socket as unknown as { readonly _handle?: { readonly fd?: unknown } })._handle?.fd;
  if (typeof fd !== 'number' || fd < 0) throw new Error('the socket is closed');
  return fd;
}
