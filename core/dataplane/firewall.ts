/**
 * weft's part of a namespace's firewall: the nftables table `inet weft`, as a skeleton that never changes and elements
 * that do.
 *
 * Vocabulary: the *skeleton* is the table with its sets, chains and rules, the same on every host and whatever there is;
 * an *element* is one member of one set. Rules ask sets, so one more network or port is one more element of a set, and
 * no rule. The skeleton is one object (`NftTable`), each element one of its own (`NftElement`).
 *
 * What the rules say, for packets that are forwarded (what the host itself sends and gets is not weft's business):
 * answers pass; members of one bridge reach each other where the pair (bridge, bridge) is among `neighbours`; otherwise
 * nothing goes from bridge to bridge; what is on an `outward` bridge reaches the rest of the world, with the host's
 * address where the bridge is among `masquerade4` or `masquerade6`; and from there nothing comes in but where the bridge
 * is among `inward4` or `inward6`.
 *
 * What weft lets pass may still be dropped by another firewall, whose chains see every packet too. Where the host's
 * operator allows it, packets from and to weft's bridges are marked before they come to such chains (families that are
 * among `marked`), and one rule in each accepts the mark (`NftAccepts`). Not marked is what goes from weft's bridges to
 * bridges of others, whose protection is theirs.
 *
 * There is no table `bridge weft`: neighbours on one bridge are kept apart by the bridge itself, which knows isolated
 * ports (`BridgePort.isolated`).
 */
import type { NftElement } from './object.ts';

/** Types of the fields of keys and values, in nft's words. */
export type NftType = 'ifname' | 'nf_proto' | 'ipv4_addr' | 'ipv6_addr' | 'inet_proto' | 'inet_service';

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

/** The statements that make the skeleton where there is no such table, each for `nft`. */
export const nftSkeleton: readonly string[] = [
  `add table ${table}`,
  ...nftSetNames.map((name) => `add ${setWords(name)}`),
  `add chain ${table} forward { type filter hook forward priority filter; policy accept; }`,
  markingChain,
  `add chain ${table} postrouting { type nat hook postrouting priority srcnat; policy accept; }`,
  `add rule ${table} forward ct state established,related accept`,
  `add rule ${table} forward iifname . oifname @neighbours accept`,
  `add rule ${table} forward iifname @bridges oifname @bridges drop`,
  `add rule ${table} forward iifname @outward accept`,
  `add rule ${table} forward iifname @bridges drop`,
  `add rule ${table} forward oifname @inward4 meta nfproto ipv4 accept`,
  `add rule ${table} forward oifname @inward6 meta nfproto ipv6 accept`,
  `add rule ${table} forward oifname @bridges drop`,
  `add rule ${table} marking meta nfproto != @marked return`,
  `add rule ${table} marking ct state new iifname @bridges oifname != @bridges meta oifkind "bridge" return`,
  `add rule ${table} marking iifname @bridges meta mark set meta mark or ${passMark}`,
  `add rule ${table} marking oifname @bridges meta mark set meta mark or ${passMark}`,
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
  const types = `${key.join(' . ')}${value === undefined ? '' : ` : ${value.join(' . ')}`}`;
  return `${value === undefined ? 'set' : 'map'} ${table} ${name} { type ${types}; }`;
}

/** Names of interfaces may be words of nft's, so they are quoted; none has a quote or a blank in it. */
function fieldsWords(types: readonly NftType[], fields: readonly string[]): string {
  return fields.map((field, at) => (types[at] === 'ifname' ? `"${field}"` : field)).join(' . ');
}
