/** What nftables answers over our own netlink socket, where what was asked for may be gone. */
import { errno } from '../native/constants.ts';
import { slice } from '../netlink/attribute.ts';
import { KernelError } from '../netlink/kernel-error.ts';
import type { Message, Request } from '../netlink/message.ts';
import type { RequestSocket } from '../netlink/request.ts';

/**
 * All answers; none where the table, chain or set is not there, or the kernel has no nftables.
 *
 * @throws KernelError for any other refusal
 */
export function dumped(requests: RequestSocket, question: Request): Message[] {
  try {
    return requests.dump(question);
  } catch (error) {
    if (error instanceof KernelError && error.errno === errno.ENOENT) return [];
    throw error;
  }
}

/** An attribute's bytes, for the attributes that they hold. */
export function viewOf(bytes: Uint8Array): DataView {
  return slice(new DataView(bytes.buffer), bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}
