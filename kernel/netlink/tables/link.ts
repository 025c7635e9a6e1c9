/** Links: `struct ifinfomsg` and IFLA_* (`linux/rtnetlink.h`, `linux/if_link.h`, `linux/veth.h`). */
import { bytes, ip, mac, messageNest, nest, s32, text, u8, u16, u16be, u32 } from '../attribute.ts';

export const linkMessage = { new: 16, delete: 17, get: 18, set: 19 } as const;

const linkHeader = {
  bytes: 16,
  fields: {
    family: { offset: 0, type: 'u8' },
    /** ARPHRD_*. */
    type: { offset: 2, type: 'u16' },
    index: { offset: 4, type: 's32' },
    flags: { offset: 8, type: 'u32' },
    /** Which of the flags a request means. */
    change: { offset: 12, type: 'u32' },
  },
} as const;

/** IFF_* (`linux/if.h`). */
export const linkFlag = { up: 1, loopback: 8 } as const;

const bridgePortAttributes = {
  hairpin: u8(4),
  learning: u8(8),
  unicastFlood: u8(9),
  isolated: u8(33),
} as const;

const bridgeAttributes = {
  stpState: u32(5),
  multicastSnooping: u8(23),
  vlanDefaultPvid: u16(39),
} as const;

export const vxlanAttributes = {
  vni: u32(1),
  local: ip(4),
  learning: u8(7),
  proxy: u8(11),
  l2miss: u8(13),
  l3miss: u8(14),
  port: u16be(15),
  local6: ip(17),
  df: u8(29),
} as const;

export const macvlanAttributes = { mode: u32(1) } as const;

export const ipvlanAttributes = { mode: u16(1), flags: u16(2) } as const;

export const vlanAttributes = { id: u16(1) } as const;

const peerAttributes = { mac: mac(1), name: text(3), mtu: u32(4), netnsFd: u32(28) } as const;

const vethAttributes = { peer: messageNest(1, linkHeader, peerAttributes) } as const;

/** IFLA_INFO_DATA means what the kind says; what is read is left as bytes until the kind is known. */
const linkInfo = { kind: text(1), data: bytes(2), portKind: text(4) } as const;

const commonAttributes = {
  mac: mac(1),
  name: text(3),
  mtu: u32(4),
  /** Interface number of what the link is on, its parent: for a veth, of its other end. */
  lower: s32(5),
  master: u32(10),
  alias: text(20),
  /** A number by which links can be deleted together. */
  group: u32(27),
  netnsFd: u32(28),
  extendedMask: u32(29),
  /** In which namespace `lower` is, as this one numbers it; absent for this one. */
  lowerNetnsId: s32(37),
  /** Asks for a link of another namespace, as this one numbers it. */
  targetNetnsId: s32(46),
} as const;

/** For reading any link, and for requests that say nothing of its type. */
export const link = {
  header: linkHeader,
  attributes: {
    ...commonAttributes,
    info: nest(18, { ...linkInfo, portData: nest(5, bridgePortAttributes) }),
  },
} as const;

export const bridgeLink = {
  header: linkHeader,
  attributes: { ...commonAttributes, info: nest(18, { kind: text(1), data: nest(2, bridgeAttributes) }) },
} as const;

export const vxlanLink = {
  header: linkHeader,
  attributes: { ...commonAttributes, info: nest(18, { kind: text(1), data: nest(2, vxlanAttributes) }) },
} as const;

export const vethLink = {
  header: linkHeader,
  attributes: { ...commonAttributes, info: nest(18, { kind: text(1), data: nest(2, vethAttributes) }) },
} as const;

/** Any kind of link of which nothing is to be said but what it is. */
export const plainLink = {
  header: linkHeader,
  attributes: { ...commonAttributes, info: nest(18, { kind: text(1) }) },
} as const;

export const macvlanLink = {
  header: linkHeader,
  attributes: { ...commonAttributes, info: nest(18, { kind: text(1), data: nest(2, macvlanAttributes) }) },
} as const;

export const ipvlanLink = {
  header: linkHeader,
  attributes: { ...commonAttributes, info: nest(18, { kind: text(1), data: nest(2, ipvlanAttributes) }) },
} as const;

export const vlanLink = {
  header: linkHeader,
  attributes: { ...commonAttributes, info: nest(18, { kind: text(1), data: nest(2, vlanAttributes) }) },
} as const;

/** MACVLAN_MODE_*. */
export const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
/** IPVLAN_MODE_*. */
export const ipvlanModes = { l2: 0, l3: 1, l3s: 2 } as const;
/** IPVLAN_F_*; a bridge is none of them. */
export const ipvlanFlags = { bridge: 0, private: 1, vepa: 2 } as const;

/** RTEXT_FILTER_SKIP_STATS: half of a link's message is counters. */
export const skipStatistics = 8;
/** VXLAN_DF_INHERIT: the outer header's "don't fragment" is the inner one's. */
export const vxlanDfInherit = 2;
