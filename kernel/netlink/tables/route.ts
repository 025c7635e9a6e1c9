/** Routes: `struct rtmsg` and RTA_* (`linux/rtnetlink.h`). */
import { ip, u32 } from '../attribute.ts';

export const routeMessage = { new: 24, delete: 25, get: 26 } as const;

export const route = {
  header: {
    bytes: 12,
    fields: {
      family: { offset: 0, type: 'u8' },
      destinationLength: { offset: 1, type: 'u8' },
      sourceLength: { offset: 2, type: 'u8' },
      tos: { offset: 3, type: 'u8' },
      table: { offset: 4, type: 'u8' },
      protocol: { offset: 5, type: 'u8' },
      scope: { offset: 6, type: 'u8' },
      type: { offset: 7, type: 'u8' },
      flags: { offset: 8, type: 'u32' },
    },
  },
  attributes: {
    destination: ip(1),
    oif: u32(4),
    gateway: ip(5),
    priority: u32(6),
    preferredSource: ip(7),
    table: u32(15),
  },
} as const;

export const routeTableMain = 254;
export const routeTypeUnicast = 1;
export const routeProtocolKernel = 2;
export const routeScope = { universe: 0, link: 253, nowhere: 255 } as const;
/** IP6_RT_PRIO_ADDRCONF (`net/ip6_route.h`): the metric of IPv6's connected routes. */
export const connectedPriorityIpv6 = 256;
/** IP6_RT_PRIO_USER: the metric of IPv6 routes that ask for none. */
export const userPriorityIpv6 = 1024;
