/** Addresses: `struct ifaddrmsg` and IFA_* (`linux/if_addr.h`). */
import { ip, u8, u32 } from '../attribute.ts';

export const addressMessage = { new: 20, delete: 21, get: 22 } as const;

export const address = {
  header: {
    bytes: 8,
    fields: {
      family: { offset: 0, type: 'u8' },
      prefixLength: { offset: 1, type: 'u8' },
      flags: { offset: 2, type: 'u8' },
      scope: { offset: 3, type: 'u8' },
      index: { offset: 4, type: 'u32' },
    },
  },
  attributes: {
    /** The other side of a point-to-point link; otherwise the address itself, and for IPv6 the only one there is. */
    address: ip(1),
    local: ip(2),
    flags: u32(8),
    /** Who made it (Linux 5.18). */
    protocol: u8(11),
  },
} as const;

/** IFA_F_NODAD: an IPv6 address is usable at once, without asking the link for duplicates. */
export const addressNoDad = 2;
