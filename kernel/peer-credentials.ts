/** Who is at the other end of a unix socket. */
import { littleEndian } from './native/byte-order.ts';
import { solSocket, soPeercred } from './native/constants.ts';
import { getSocketOption } from './native/libc.ts';

/**
 * The effective user id of the process that connected (SO_PEERCRED, `unix(7)`), as it was then.
 *
 * @throws SystemError when `fd` is no connected unix socket
 */
export function peerUid(fd: number): number {
  // struct ucred: pid, uid, gid.
  const credentials = getSocketOption(fd, solSocket, soPeercred, 12);
  return new DataView(credentials.buffer, credentials.byteOffset, 12).getUint32(4, littleEndian);
}
