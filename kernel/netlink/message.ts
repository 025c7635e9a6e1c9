/**
 * Netlink messages (`struct nlmsghdr`, RFC 3549): requests that can be written, and answers cut out of datagrams.
 *
 * The layout of a family (link, address, route, neighbour) is a fixed header and a table of attributes; see `tables/`.
 */

import { littleEndian } from '../native/byte-order.ts';
import {
  type AttributeTable,
  type AttributeValues,
  type DecodedHeader,
  type HeaderTable,
  type HeaderValues,
  MalformedMessage,
  readAttributes,
  readHeader,
  slice,
  writeAttributes,
  writeHeader,
} from './attribute.ts';
import type { MessageWriter } from './writer.ts';

export interface MessageLayout {
  readonly header: HeaderTable;
  readonly attributes: AttributeTable;
}

/** A request without its sequence number, which the socket gives it. */
export interface Request {
  readonly type: number;
  /** `NLM_F_*` beyond NLM_F_REQUEST. */
  readonly flags: number;
  write(writer: MessageWriter): void;
}

export function request<L extends MessageLayout>(
  layout: L,
  type: number,
  flags: number,
  header: HeaderValues<L['header']>,
  attributes: AttributeValues<L['attributes']>,
): Request {
  return {
    type,
    flags,
    write(writer) {
      writeHeader(writer, layout.header, header);
      writeAttributes(writer, layout.attributes, attributes);
    },
  };
}

/** A message as it came. `payload` lies in the receive buffer: decode before the next `receive`. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: DataView;
}

export interface Decoded<L extends MessageLayout> {
  readonly header: DecodedHeader<L['header']>;
  readonly attributes: AttributeValues<L['attributes']>;
}

/** @throws MalformedMessage */
export function decode<L extends MessageLayout>(layout: L, message: Message): Decoded<L> {
  return {
    header: readHeader<L['header']>(layout.header, message.payload),
    attributes: readAttributes<L['attributes']>(layout.attributes, message.payload, layout.header.bytes),
  };
}

const messageHeaderBytes = 16;

/**
 * Cuts a datagram into its messages.
 *
 * @throws MalformedMessage when a length does not add up
 */
export function messagesOf(datagram: Uint8Array): Message[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const messages: Message[] = [];
  let at = 0;
  while (at < view.byteLength) {
    if (at + messageHeaderBytes > view.byteLength) throw new MalformedMessage('a message ends in its header');
    const length = view.getUint32(at, littleEndian);
    if (length < messageHeaderBytes || at + length > view.byteLength) {
      throw new MalformedMessage(`a message says ${length} bytes where ${view.byteLength - at} are left`);
    }
    messages.push({
      type: view.getUint16(at + 4, littleEndian),
      flags: view.getUint16(at + 6, littleEndian),
      sequence: view.getUint32(at + 8, littleEndian),
      payload: slice(view, at + messageHeaderBytes, at + length),
    });
    at += (length + 3) & ~3;
  }
  return messages;
}
