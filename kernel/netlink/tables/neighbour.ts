/** Neighbours and forwarding entries: `struct ndmsg` and NDA_* (`linux/neighbour.h`). */
import { ip, mac, u8, u16, u16be, u32 } from '../attribute.ts';

export const neighbourMessage = { new: 28, delete: 29, get: 30 } as const;

export const neighbour = {
  header: {
    bytes: 12,
    fields: {
      /** AF_BRIDGE for forwarding entries. */
      family: { offset: 0, type: 'u8' },
      index: { offset: 4, type: 's32' },
      state: { offset: 8, type: 'u16' },
      flags: { offset: 10, type: 'u8' },
      type: { offset: 11, type: 'u8' },
    },
  },
  attributes: {
    destination: ip(1),
    mac: mac(2),
    vlan: u16(5),
    port: u16be(6),
    vni: u32(7),
    interface: u32(8),
    /** Who made it (Linux 5.0). */
    protocol: u8(12),
  },
} as const;

/** NUD_*. */
export const neighbourState = { noarp: 0x40, permanent: 0x80 } as const;
/** NTF_*: the link's own table, or that of the bridge it is a port of. */
export const neighbourFlag = { self: 2, master: 4, proxy: 8, externallyLearned: 0x10 } as const;
