/** The machine's byte order, in which netlink, socket options and epoll are written. */
export const littleEndian: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
