/** Flags of requests that make objects (`linux/netlink.h`). */
export const flagReplace = 0x100;
export const flagExclusive = 0x200;
export const flagCreate = 0x400;
export const flagAppend = 0x800;

/** Address families (`linux/socket.h`). */
export const family = { unspecified: 0, ipv4: 2, bridge: 7, ipv6: 10 } as const;

/** `RTNLGRP_*` (`linux/rtnetlink.h`). Changes of bridge and VXLAN tables come with `neighbour`. */
export const group = {
  link: 1,
  neighbour: 3,
  ipv4Address: 5,
  ipv4Route: 7,
  ipv6Address: 9,
  ipv6Route: 11,
} as const;
