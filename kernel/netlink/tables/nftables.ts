/** nftables: `struct nfgenmsg` and NFTA_* (`linux/netfilter/nfnetlink.h`, `linux/netfilter/nf_tables.h`). */
import { bytes, nest, text, u32be } from '../attribute.ts';

/** NFNL_SUBSYS_NFTABLES, in the upper byte of a message's type. */
const subsystem = 10 << 8;

export const nftMessage = {
  getTable: subsystem | 1,
  getChain: subsystem | 4,
  getRule: subsystem | 7,
  getSet: subsystem | 10,
  getElement: subsystem | 13,
  newGeneration: subsystem | 15,
  getGeneration: subsystem | 16,
} as const;

/** NFNLGRP_NFTABLES. */
export const nftGroup = 7;

/** NFPROTO_* (`linux/netfilter.h`). */
export const nftFamilyNumber = { unspecified: 0, inet: 1, ip: 2, ip6: 10 } as const;

const header = { bytes: 4, fields: { family: { offset: 0, type: 'u8' } } } as const;

/** Whatever a message is about, its first attribute is the name of a table; but for a generation, see below. */
export const nftAny = { header, attributes: { table: text(1) } } as const;

export const nftGeneration = { header, attributes: { id: u32be(1) } } as const;

/** What does not change by itself: no handles, no counts of uses. */
export const nftChain = {
  header,
  attributes: {
    table: text(1),
    name: text(3),
    hook: bytes(4),
    policy: u32be(5),
    type: text(7),
    flags: u32be(10),
  },
} as const;

/** Where a base chain stands: NFTA_HOOK_*. */
export const nftHook = { number: u32be(1) } as const;

/** One expression of a rule: NFTA_EXPR_*. What its data is depends on its name. */
export const nftExpression = { name: text(1), data: bytes(2) } as const;

/** Data of the expression `immediate`, as far as it is a verdict. */
export const nftImmediate = {
  data: nest(2, { verdict: nest(2, { code: u32be(1), chain: text(2) }) }),
} as const;

/** Data of the expression `target`, by which iptables-nft has what nftables has no word for. */
export const nftTarget = { name: text(1) } as const;

export const nftRule = {
  header,
  attributes: { table: text(1), chain: text(2), handle: bytes(3), expressions: bytes(4), userData: bytes(7) },
} as const;

export const nftSetLayout = {
  header,
  attributes: {
    table: text(1),
    name: text(2),
    flags: u32be(3),
    keyType: u32be(4),
    keyBytes: u32be(5),
    valueType: u32be(6),
    valueBytes: u32be(7),
  },
} as const;

const data = { value: bytes(1) } as const;
const element = { key: nest(1, data), value: nest(2, data) } as const;

/** For asking for one element of a set. */
export const nftElementQuestion = {
  header,
  attributes: { table: text(1), set: text(2), elements: nest(3, { element: nest(1, element) }) },
} as const;

/** As they come: the elements are a list, each an attribute of that number. */
export const nftElementList = {
  header,
  attributes: { table: text(1), set: text(2), elements: bytes(3) },
} as const;
export const nftListItem = 1;
export const nftElementAttributes = element;
