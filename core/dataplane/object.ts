/**
 * The vocabulary of the data plane: kernel objects as plain data. Drivers produce them, the reconciler compares them,
 * the kernel adapter makes them. Each kind has a key (`key.ts`), an equality (`equal.ts`), a text form in the words of
 * `ip`, `bridge` and `nft` (`text.ts`) and a place in the order of application (`order.ts`).
 */
import type { InterfaceAddress, IpAddress, Prefix } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import type { NftSetName } from './firewall.ts';
import type { Namespace } from './namespace.ts';

export type KernelObject =
  | NetnsObject
  | Link
  | Address
  | Route
  | Neighbour
  | FdbEntry
  | Sysctl
  | HostsFile
  | NftTable
  | NftAccepts
  | NftElement;
export type ObjectKind = KernelObject['kind'];

/** A named network namespace of weft's own. Key: the namespace. */
export interface NetnsObject {
  readonly kind: 'netns';
  readonly ns: Namespace;
}

/** Key: namespace and name. A link of weft's carries `weft:OWNER` as its alias; loopback is never made or deleted. */
export interface Link {
  readonly kind: 'link';
  readonly ns: Namespace;
  readonly name: string;
  /** What the link is for: `network:<id>` or `endpoint:<id>`. Kept in the alias; empty for loopback. */
  readonly owner: string;
  readonly up: boolean;
  /** Bytes. Absent for loopback, which is left as it is. */
  readonly mtu?: number;
  /** Absent: the kernel's choice stands. */
  readonly mac?: Mac;
  /** Name of the bridge in the same namespace that the link is a port of. */
  readonly master?: string;
  /** Bridge port settings; present exactly where `master` is. */
  readonly port?: BridgePort;
  readonly type: LinkType;
}

export interface BridgePort {
  /** Learn source addresses from frames that arrive. */
  readonly learning: boolean;
  /** Send frames for unknown unicast addresses out of this port. */
  readonly flood: boolean;
  /** Frames of one isolated port do not reach another. Absent: not isolated. */
  readonly isolated?: true;
  /** Frames may leave by the port that they came in by. Absent: they may not. */
  readonly hairpin?: true;
}

export type LinkType =
  | { readonly type: 'loopback' }
  | BridgeType
  | { readonly type: 'dummy' }
  | VxlanType
  | VethType
  | StackedType;

export interface BridgeType {
  readonly type: 'bridge';
  /**
   * `allowed`, of what is desired: a bridge of that name that someone else made is taken as it is, but for being up.
   * `yes`, of what is there: it was. Then only weft's mark is taken off it when it is no longer desired. Absent: a bridge
   * of weft's own making.
   */
  readonly adopted?: 'allowed' | 'yes';
}

/**
 * A VXLAN tunnel end of the host's namespace (where its UDP socket is), living in `ns`. Made with `nolearning proxy`:
 * nothing is learned or flooded, ARP and ND are answered from permanent neighbours. None of these can be altered in
 * place; a difference means that the link is made anew.
 */
export interface VxlanType {
  readonly type: 'vxlan';
  readonly vni: number;
  readonly local: IpAddress;
  /** UDP destination port. */
  readonly port: number;
}

/** One end of a pair. Both ends are objects of their own; making one makes the other, deleting either deletes both. */
export interface VethType {
  readonly type: 'veth';
  readonly peer: LinkPlace;
}

/** A link on top of another, its parent, whoever made that. With the parent it goes; with another it is made anew. */
export type StackedType = MacvlanType | IpvlanType | VlanType;

/** Where a link is. */
export interface LinkPlace {
  readonly ns: Namespace;
  readonly name: string;
}

/** One more MAC address on its parent, as an interface of its own. */
export interface MacvlanType {
  readonly type: 'macvlan';
  readonly parent: LinkPlace;
  readonly mode: MacvlanMode;
}

export type MacvlanMode = 'bridge' | 'private' | 'vepa' | 'passthru';

/** More IP addresses on its parent, with its parent's MAC address, as an interface of its own. */
export interface IpvlanType {
  readonly type: 'ipvlan';
  readonly parent: LinkPlace;
  readonly mode: IpvlanMode;
  readonly flag: IpvlanFlag;
}

export type IpvlanMode = 'l2' | 'l3' | 'l3s';
export type IpvlanFlag = 'bridge' | 'private' | 'vepa';

/** The frames of its parent that carry one VLAN's tag (IEEE 802.1Q), without the tag. */
export interface VlanType {
  readonly type: 'vlan';
  readonly parent: LinkPlace;
  /** 1 to 4094. */
  readonly id: number;
}

/** Key: namespace, link and address. IPv6 addresses are made without duplicate address detection. */
export interface Address {
  readonly kind: 'address';
  readonly ns: Namespace;
  readonly link: string;
  readonly address: InterfaceAddress;
}

/** Key: namespace, destination and link. `via` absent: the destination is on the link. */
export interface Route {
  readonly kind: 'route';
  readonly ns: Namespace;
  readonly link: string;
  readonly destination: Prefix;
  readonly via?: IpAddress;
  /** Preferred source, as the kernel sets it on the connected route of an IPv4 address. */
  readonly source?: IpAddress;
  /** Of several ways to one destination the one of the lowest metric is taken. Absent: as the kernel gives it. */
  readonly metric?: number;
  /**
   * `kernel`: the connected route that the kernel makes with an address, held because it can be deleted by hand.
   * `weft`: a route of ours, marked with our protocol number.
   */
  readonly protocol: 'kernel' | 'weft';
}

/** Permanent. Key: namespace, link and address. */
export interface Neighbour {
  readonly kind: 'neighbour';
  readonly ns: Namespace;
  readonly link: string;
  readonly address: IpAddress;
  readonly mac: Mac;
}

/**
 * Permanent. Key: namespace, link, MAC and table. With `remote`, an entry of the VXLAN link's own table (`self`):
 * frames to `mac` go to the VTEP `remote`. Without, an entry of its bridge's table (`master static`): `mac` is behind
 * this port.
 */
export interface FdbEntry {
  readonly kind: 'fdb';
  readonly ns: Namespace;
  readonly link: string;
  readonly mac: Mac;
  readonly remote?: IpAddress;
}

/** Key: namespace and name. `name` is below `/proc/sys/`, dots as slashes: `net/ipv6/conf/eth0/disable_ipv6`. */
export interface Sysctl {
  readonly kind: 'sysctl';
  readonly ns: Namespace;
  readonly name: string;
  readonly value: string;
}

/**
 * weft's nftables table, without what is in its sets; see `firewall.ts`. Key: the namespace, which is the host's: nowhere
 * else has weft a firewall.
 */
export interface NftTable {
  readonly kind: 'nft-table';
  readonly ns: Namespace;
  /** Whether sets, chains and rules are those of the skeleton. Always true of what is desired. */
  readonly intact: boolean;
}

/** A member of one of the table's sets. Key: namespace, set and key. */
export interface NftElement {
  readonly kind: 'nft-element';
  readonly ns: Namespace;
  readonly set: NftSetName;
  /** One text per field, as nft prints it, without quotes. */
  readonly key: readonly string[];
  /** What the key is mapped to, where the set is a map. */
  readonly value?: readonly string[];
}

/**
 * weft's rule in every chain of other firewalls that drops what is forwarded, by which it accepts what weft's table has
 * marked. There while anything is marked, or any such rule is there; a chain that others add later makes it incomplete.
 * Key: the namespace, which is the host's.
 */
export interface NftAccepts {
  readonly kind: 'nft-accepts';
  readonly ns: Namespace;
  /** Whether none of those chains lacks the rule. Always true of what is desired. */
  readonly complete: boolean;
}

/** weft's block in the hosts file of an `ip netns` sandbox, `/etc/netns/NAME/hosts`. Key: the sandbox's namespace. */
export interface HostsFile {
  readonly kind: 'hosts';
  readonly ns: Namespace;
  /** In the order in which they are written. */
  readonly entries: readonly HostsEntry[];
}

export interface HostsEntry {
  readonly address: IpAddress;
  readonly names: readonly string[];
}
