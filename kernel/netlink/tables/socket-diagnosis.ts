/** Sockets as the kernel tells of them: `struct inet_diag_req_v2`, `struct inet_diag_msg` (`linux/inet_diag.h`). */
import { u8 } from '../attribute.ts';

/** SOCK_DIAG_BY_FAMILY (`linux/sock_diag.h`). */
export const socketMessage = { get: 20 } as const;

/** Without the addresses and ports that it may ask for: zeros ask for all. */
export const socketQuestion = {
  header: {
    bytes: 56,
    fields: {
      family: { offset: 0, type: 'u8' },
      protocol: { offset: 1, type: 'u8' },
      /** One bit for each state. */
      states: { offset: 4, type: 'u32' },
    },
  },
  attributes: {},
} as const;

export const socketRecord = {
  header: {
    bytes: 72,
    fields: { family: { offset: 0, type: 'u8' }, inode: { offset: 68, type: 'u32' } },
  },
  /** INET_DIAG_SKV6ONLY. */
  attributes: { ipv6Only: u8(11) },
} as const;

/** Where the socket's own port and address are, in network byte order. */
export const socketPlace = { port: 4, address: 8 } as const;

/** States of `net/tcp_states.h` as bits; sockets without connections that are not connected to anybody are `closed`. */
export const socketState = { closed: 1 << 7, listening: 1 << 10 } as const;
