/** What the kernel says when it refuses a request: NLMSG_ERROR with its extended acknowledgement. */
import { littleEndian } from '../native/byte-order.ts';
import { describeErrno } from '../native/libc.ts';
import { MalformedMessage, readAttributes, text, u32 } from './attribute.ts';
import type { Message } from './message.ts';

/** A refusal. The message is one line: `EINVAL: Invalid argument (RTNETLINK: Unknown device type)`. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly errno: number;

  constructor(errno: number, explanation?: string) {
    super(explanation === undefined ? describeErrno(errno) : `${describeErrno(errno)} (${explanation})`);
    this.errno = errno;
  }
}

/** `linux/netlink.h`. */
export const messageError = 2;
export const messageDone = 3;
const flagCapped = 0x100;
const flagAckTlvs = 0x200;
const extendedAttributes = { text: text(1), offset: u32(2) };
const messageHeaderBytes = 16;

/**
 * Reads the payload of an NLMSG_ERROR or an NLMSG_DONE; undefined where it says success.
 *
 * @throws MalformedMessage
 */
export function errorOf(message: Message): KernelError | undefined {
  const { payload } = message;
  if (payload.byteLength < 4) throw new MalformedMessage('an acknowledgement ends in its error number');
  const errno = -payload.getInt32(0, littleEndian);
  return errno === 0 ? undefined : new KernelError(errno, explanationOf(message));
}

function explanationOf({ type, flags, payload }: Message): string | undefined {
  if ((flags & flagAckTlvs) === 0) return undefined;
  // The error number; of a refusal then the header of the request, and its body unless that was cut off.
  let offset = 4;
  if (type === messageError) {
    if (payload.byteLength < offset + messageHeaderBytes) return undefined;
    const requestBytes = (flags & flagCapped) === 0 ? payload.getUint32(4, littleEndian) : messageHeaderBytes;
    offset += (requestBytes + 3) & ~3;
  }
  if (offset > payload.byteLength) throw new MalformedMessage('an acknowledgement ends in its request');
  const words = readAttributes(extendedAttributes, payload, offset).text;
  return words === undefined ? undefined : `RTNETLINK: ${words}`;
}
