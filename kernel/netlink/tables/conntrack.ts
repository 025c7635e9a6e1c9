/** Connections that the kernel tracks: CTA_* (`linux/netfilter/nfnetlink_conntrack.h`), behind `struct nfgenmsg`. */
import { ip, nest, u8, u16be, u32, u32be } from '../attribute.ts';

/** NFNL_SUBSYS_CTNETLINK, in the upper byte of a message's type. */
const subsystem = 1 << 8;

export const conntrackMessage = { new: subsystem | 0, get: subsystem | 1, delete: subsystem | 2 } as const;

const addresses = { source4: ip(1), destination4: ip(2), source6: ip(3), destination6: ip(4) } as const;
const protocol = { number: u8(1), sourcePort: u16be(2), destinationPort: u16be(3) } as const;
const tuple = { addresses: nest(1, addresses), protocol: nest(2, protocol) } as const;

export const connection = {
  header: { bytes: 4, fields: { family: { offset: 0, type: 'u8' } } },
  attributes: {
    /** As its first packet came, and as the answers come. */
    original: nest(1, tuple),
    reply: nest(2, tuple),
    id: u32be(12),
    /** Which members of `original` a dump is restricted to (Linux 5.8). */
    filter: nest(25, { original: u32(1) }),
  },
} as const;

/** CTA_FILTER_F_CTA_PROTO_* (`net/netfilter/nf_internals.h`). */
export const filterProtocol: number = 1 << 3;
export const filterDestinationPort: number = 1 << 5;
