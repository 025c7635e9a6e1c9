/**
 * A netlink socket, of rtnetlink unless another protocol is asked for. It belongs for ever to the network namespace in which it is opened, so opening is
 * the only thing that must happen inside one; see `netns/enter.ts`.
 */
import { littleEndian } from '../native/byte-order.ts';
import {
  afNetlink,
  errno,
  msgTrunc,
  sockCloexec,
  sockNonblock,
  sockRaw,
  solSocket,
  soNetnsCookie,
  soRcvbufForce,
} from '../native/constants.ts';
import * as libc from '../native/libc.ts';
import { MalformedMessage } from './attribute.ts';
import { type Message, messagesOf } from './message.ts';

/** `linux/netlink.h`. */
const netlinkRoute = 0;
export const netlinkSocketDiagnosis = 4;
export const netlinkNetfilter = 12;
const solNetlink = 270;
const optionAddMembership = 1;
const optionCapAck = 10;
const optionExtAck = 11;
const optionGetStrictCheck = 12;

export interface NetlinkSocketOptions {
  readonly receiveBufferBytes: number;
  /** `NETLINK_*`. */
  readonly protocol?: number;
  /** `RTNLGRP_*` or `NFNLGRP_*` to listen to. */
  readonly groups?: readonly number[];
}

export class NetlinkSocket {
  readonly fd: number;

  /** Opens a socket in the namespace of the calling thread. */
  constructor(options: NetlinkSocketOptions) {
    this.fd = libc.socket(afNetlink, sockRaw | sockNonblock | sockCloexec, options.protocol ?? netlinkRoute);
    try {
      libc.bind(this.fd, netlinkAddress());
      libc.setSocketOption(this.fd, solSocket, soRcvbufForce, options.receiveBufferBytes);
      // Answers without the request repeated (4.2), with the kernel's words (4.12), and filters checked (4.20).
      libc.setSocketOption(this.fd, solNetlink, optionCapAck, 1);
      libc.setSocketOption(this.fd, solNetlink, optionExtAck, 1);
      libc.setSocketOption(this.fd, solNetlink, optionGetStrictCheck, 1);
      for (const group of options.groups ?? []) {
        libc.setSocketOption(this.fd, solNetlink, optionAddMembership, group);
      }
    } catch (error) {
      libc.close(this.fd);
      throw error;
    }
  }

  send(bytes: Uint8Array, length: number): void {
    libc.send(this.fd, bytes, length);
  }

  /**
   * One datagram's messages, which lie in `buffer` until the next call; undefined when none is waiting.
   *
   * @throws MalformedMessage
   * @throws SystemError ENOBUFS when the kernel had to drop messages
   */
  receive(buffer: Uint8Array): Message[] | undefined {
    const datagram = this.receiveRaw(buffer);
    return datagram === undefined ? undefined : messagesOf(datagram);
  }

  receiveRaw(buffer: Uint8Array): Uint8Array | undefined {
    const length = libc.receive(this.fd, buffer, msgTrunc);
    if (length === undefined) return undefined;
    if (length > buffer.length) throw new MalformedMessage(`a datagram of ${length} bytes was cut off`);
    return buffer.subarray(0, length);
  }

  /** A number that this namespace has and none had before it since the machine started (Linux 5.14). */
  namespaceCookie(): bigint {
    const value = libc.getSocketOption(this.fd, solSocket, soNetnsCookie, 8);
    if (value.length !== 8) throw new libc.SystemError(errno.EPROTO, 'SO_NETNS_COOKIE');
    return new DataView(value.buffer, value.byteOffset, 8).getBigUint64(0, littleEndian);
  }

  close(): void {
    libc.close(this.fd);
  }
}

/** `struct sockaddr_nl` of port 0: the kernel chooses. */
function netlinkAddress(): Uint8Array {
  const address = new Uint8Array(12);
  new DataView(address.buffer).setUint16(0, afNetlink, littleEndian);
  return address;
}
