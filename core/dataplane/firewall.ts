/**
 * weft's part of a namespace's firewall: the nftables table `inet weft`, as a skeleton that never changes and elements
 * that do.
 *
 * Vocabulary: the *skeleton* is the table with its sets, chains and rules, the same on every host and whatever there is;
 * an *element* is one member of one set. Rules ask sets, so one more network or port is one more element of a set, and
 * no rule. The skeleton is one object (`NftTable`), each element one of its own (`NftElement`).
 *
 * What the rules say, for packets that are forwarded (what the host itself sends and gets is not weft's business):
 * answers pass; members of one bridge reach each other where the pair (bridge, bridge) is among `neighbours`; what is on
 * a bridge that is not `outward` goes nowhere else; published ports are reached from everywhere else, other bridges
 * included; otherwise nothing goes from bridge to bridge; what is on an `outward` bridge reaches the rest of the world,
 * with the host's address where the bridge is among `masquerade4` or `masquerade6`; and from there nothing comes in but
 * where the bridge is among `inward4` or `inward6`, or the port among `exposed4` or `exposed6`.
 *
 * And for published ports, of packets to an address of the host, whoever sends them: where they go instead is looked up in
 * `published4` or `published6` and then in `anywhere4` or `anywhere6`. What comes from the host itself, or from a bridge,
 * has the bridge's address for the endpoint, so that the answer comes back this way. Of 127.0.0.0/8 nothing is taken from
 * the wire, and ::1 is left alone: with `br_netfilter` no answer for it would come home.
 *
 * What weft lets pass may still be dropped by another firewall, whose chains see every packet too. Where the host's
 * operator allows it, packets from and to weft's bridges are marked before they come to such chains (families that are
 * among `marked`), and one rule in each accepts the mark (`NftAccepts`). Not marked is what goes from weft's bridges to
 * bridges of others, whose protection is theirs.
 *
 * And of what comes to the host itself: VXLAN frames whose VNI is among `vnis`, which are of overlays of this host, come in from
 * the addresses among `vteps4` and `vteps6` and from nowhere else, before the VXLAN socket gets them. That socket takes
 * what comes to its port at any address of the host, from whomever. Frames with other VNIs are those of others. Fragments
 * are put together before: rules that ask for a connection's state, as those for forwarding do, make the kernel do so.
 *
 * There is no table `bridge weft`: neighbours on one bridge are kept apart by the bridge itself, which knows isolated
 * ports (`BridgePort.isolated`).
 */
import type { NftElement } from './object.ts';
import { vxlanPort } from './vxlan.ts';

/**
 * The VNI in a VXLAN header (RFC 7348 §5), which follows the 8 bytes of the UDP header: 24 bits behind 32. nft has no name
 * for the type, so it is told by the expression.
 */
const vniExpression = '@th,96,24';

/** Types of the fields of keys and values, in nft's words. */
export type NftType =
  | 'ifname'
  | 'nf_proto'
  | 'ipv4_addr'
  | 'ipv6_addr'
  | 'inet_proto'
  | 'inet_service'
  | typeof vniExpression;

export interface NftSet {
  /** Several fields make a concatenation. */
  readonly key: readonly NftType[];
  /** Present where the set is a map. */
  readonly value?: readonly NftType[];
}

export const nftSets = {
  /** Every bridge of weft's. */
  bridges: { key: ['ifname'] },
  /** From which bridge to which; the same one twice where its members may reach each other. */
  neighbours: { key: ['ifname', 'ifname'] },
  outward: { key: ['ifname'] },
  masquerade4: { key: ['ifname'] },
  masquerade6: { key: ['ifname'] },
  inward4: { key: ['ifname'] },
  inward6: { key: ['ifname'] },
  marked: { key: ['nf_proto'] },
  /** What comes to a port at one address of the host, and where it goes instead. */
  published4: { key: ['ipv4_addr', 'inet_proto', 'inet_service'], value: ['ipv4_addr', 'inet_service'] },
  published6: { key: ['ipv6_addr', 'inet_proto', 'inet_service'], value: ['ipv6_addr', 'inet_service'] },
  /** The same at every address of the host. */
  anywhere4: { key: ['inet_proto', 'inet_service'], value: ['ipv4_addr', 'inet_service'] },
  anywhere6: { key: ['inet_proto', 'inet_service'], value: ['ipv6_addr', 'inet_service'] },
  /** Ports of endpoints that are reached at their own addresses. */
  exposed4: { key: ['ipv4_addr', 'inet_proto', 'inet_service'] },
  exposed6: { key: ['ipv6_addr', 'inet_proto', 'inet_service'] },
  /** VNIs of the overlays that are on this host. */
  vnis: { key: [vniExpression] },
  /** Where frames to those may come from: the VTEPs of the other hosts. */
  vteps4: { key: ['ipv4_addr'] },
  vteps6: { key: ['ipv6_addr'] },
} as const satisfies Record<string, NftSet>;

export type NftSetName = keyof typeof nftSets;

export const nftSetNames: readonly NftSetName[] = Object.keys(nftSets) as NftSetName[];

/** `nftSets` without its literal types. */
export function nftSet(name: NftSetName): NftSet {
  return nftSets[name];
}

export const nftFamily = 'inet';
export const nftTableName = 'weft';
const table = `${nftFamily} ${nftTableName}`;

/**
 * The bit of a packet's mark that says that it is from or to a bridge of weft's. No other one of those that are known to
 * mark packets on hosts with containers uses it, but for Cilium, which needs them all.
 */
const passMark = '0x1000';

/** What weft adds to a chain of another firewall: a rule, for `nft`. The comment tells whose it is. */
export const nftAcceptRule = `meta mark and ${passMark} == ${passMark} accept comment "weft"`;

/** Before chains of priority `filter`, where other firewalls have theirs. */
const markingChain = `add chain ${table} marking { type filter hook forward priority filter - 5; policy accept; }`;

/**
 * Of a packet that comes from a bridge and whose published port leads to a bridge: one bit, set behind the last routing
 * decision, for the rule that follows. With `br_netfilter` that one no longer sees where the packet came from.
 */
const hairpinMark = '0x2000';

/** The statements that make the skeleton where there is no such table, each for `nft`. */
export const nftSkeleton: readonly string[] = [
  `add table ${table}`,
  ...nftSetNames.map((name) => `add ${setWords(name)}`),
  `add chain ${table} guard { type filter hook prerouting priority raw; policy accept; }`,
  `add chain ${table} decapsulation { type filter hook input priority raw; policy accept; }`,
  `add chain ${table} published`,
  // -100 is dstnat, a word that nft does not take here.
  `add chain ${table} prerouting { type nat hook prerouting priority dstnat; policy accept; }`,
  `add chain ${table} output { type nat hook output priority -100; policy accept; }`,
  `add chain ${table} forward { type filter hook forward priority filter; policy accept; }`,
  markingChain,
  `add chain ${table} postrouting { type nat hook postrouting priority srcnat; policy accept; }`,
  `add rule ${table} guard iifname @bridges ip daddr 127.0.0.0/8 drop`,
  `add rule ${table} guard iifname @bridges ip saddr 127.0.0.0/8 drop`,
  `add rule ${table} decapsulation udp dport ${vxlanPort} ${vniExpression} @vnis ip saddr != @vteps4 drop`,
  `add rule ${table} decapsulation udp dport ${vxlanPort} ${vniExpression} @vnis ip6 saddr != @vteps6 drop`,
  `add rule ${table} published fib daddr type != local return`,
  `add rule ${table} published meta nfproto ipv4 dnat ip to ip daddr . meta l4proto . th dport map @published4`,
  `add rule ${table} published meta nfproto ipv4 dnat ip to meta l4proto . th dport map @anywhere4`,
  `add rule ${table} published meta nfproto ipv6 dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6`,
  `add rule ${table} published meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @anywhere6`,
  `add rule ${table} prerouting ip daddr 127.0.0.0/8 return`,
  `add rule ${table} prerouting jump published`,
  `add rule ${table} output ip6 daddr ::1 return`,
  `add rule ${table} output jump published`,
  `add rule ${table} forward ct state established,related accept`,
  `add rule ${table} forward iifname @bridges oifname @bridges ct status dnat meta mark set meta mark or ${hairpinMark}`,
  `add rule ${table} forward iifname . oifname @neighbours accept`,
  `add rule ${table} forward iifname @bridges iifname != @outward drop`,
  `add rule ${table} forward oifname @bridges ct status dnat accept`,
  `add rule ${table} forward iifname @bridges oifname @bridges drop`,
  `add rule ${table} forward iifname @outward accept`,
  `add rule ${table} forward oifname @inward4 meta nfproto ipv4 accept`,
  `add rule ${table} forward oifname @inward6 meta nfproto ipv6 accept`,
  `add rule ${table} forward oifname @bridges ip daddr . meta l4proto . th dport @exposed4 accept`,
  `add rule ${table} forward oifname @bridges ip6 daddr . meta l4proto . th dport @exposed6 accept`,
  `add rule ${table} forward oifname @bridges drop`,
  `add rule ${table} marking meta nfproto != @marked return`,
  `add rule ${table} marking ct state new iifname @bridges oifname != @bridges meta oifkind "bridge" return`,
  `add rule ${table} marking iifname @bridges meta mark set meta mark or ${passMark}`,
  `add rule ${table} marking oifname @bridges meta mark set meta mark or ${passMark}`,
  `add rule ${table} postrouting oifname @bridges ct status dnat meta mark & ${hairpinMark} == ${hairpinMark} masquerade`,
  `add rule ${table} postrouting oifname @bridges ct status dnat fib saddr type local masquerade`,
  `add rule ${table} postrouting iifname @masquerade4 oifname != @bridges meta nfproto ipv4 masquerade`,
  `add rule ${table} postrouting iifname @masquerade6 oifname != @bridges meta nfproto ipv6 masquerade`,
];

export const nftTableDeletion = `delete table ${table}`;

export function nftElementStatement(verb: 'add' | 'delete', element: NftElement): string {
  const { key, value: types } = nftSet(element.set);
  const value =
    verb === 'delete' || element.value === undefined || types === undefined
      ? ''
      : ` : ${fieldsWords(types, element.value)}`;
  return `${verb} element ${table} ${element.set} { ${fieldsWords(key, element.key)}${value} }`;
}

function setWords(name: NftSetName): string {
  const { key, value } = nftSet(name);
  const word = key.includes(vniExpression) ? 'typeof' : 'type';
  const types = `${key.join(' . ')}${value === undefined ? '' : ` : ${value.join(' . ')}`}`;
  return `${value === undefined ? 'set' : 'map'} ${table} ${name} { ${word} ${types}; }`;
}

/** Names of interfaces may be words of nft's, so they are quoted; none has a quote or a blank in it. */
function fieldsWords(types: readonly NftType[], fields: readonly string[]): string {
  return fields.map((field, at) => (types[at] === 'ifname' ? `"${field}"` : field)).join(' . ');
}
