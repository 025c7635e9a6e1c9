/**
 * Every bound of the core, with its unit in its name, and the relations between them asserted beside them.
 * What a bound protects is said here; that it holds is checked where the data enters.
 */
import { assert } from './lib/assert.ts';

/** One record: a request of one user action. Half of ZooKeeper's packet limit divided over a batch. */
export const recordBytesMax = 64 * 1024;
/** Brackets within brackets in a record. Records have 5; the rest is room for later versions, which keep this bound. */
export const recordDepthMax = 32;
/** Records that one append carries. */
export const entryRecordsMax = 32;
/** One entry as stored. The smallest store bound is Consul's: 512 KiB for a transaction in base64, about 383 KiB raw. */
export const entryBytesMax = 256 * 1024;

/** One part of a snapshot as stored: an entry's bound, for the same stores. */
export const snapshotChunkBytesMax = 256 * 1024;
/** What says of a snapshot what it is. */
export const snapshotManifestBytesMax = 16 * 1024;
/** Of one snapshot, compressed, 2 GiB: far over what a store that keeps everything in memory should hold. */
export const snapshotChunksMax = 8_192;

/** What a daemon writes of itself every few seconds; all of them are read at once. */
export const beatBytesMax = 1_024;

/**
 * Ordinals for which the fold remembers record ids. A record whose base lies further back is rejected as too old: it
 * could be the late twin of one that is forgotten. Counts ordinals, never seconds, so that every host agrees.
 */
export const dedupeWindowOrdinals = 16_384;

/** Names of networks, endpoints, hosts and address spaces. One DNS label. */
export const nameLengthMax = 63;
/** Linux: IFNAMSIZ less the terminating zero. */
export const interfaceNameLengthMax = 15;
export const labelsMax = 64;
export const labelKeyLengthMax = 128;
export const labelValueLengthMax = 1024;
export const optionsMax = 32;
export const aliasesMax = 32;
/** Settings of the kernel for one interface. */
export const endpointSysctlsMax = 32;
/** Static routes of one endpoint. */
export const endpointRoutesMax = 32;
export const subnetsMax = 16;
export const auxAddressesMax = 64;
/** Foreign interface names that an attach request reports, so that automatic names avoid them. */
export const avoidedInterfacesMax = 256;
/** Prefixes that the author's host has routes to, so that automatic subnets avoid them. */
export const avoidedPrefixesMax = 256;

/** 16 bits, of which 0 is no port (RFC 6335). */
export const portMin = 1;
export const portMax = 65_535;
/** What the kernel gives sockets that ask for no port (`ip_local_port_range`), as it is by default; Docker chooses there too. */
export const automaticPortMin = 32_768;
export const automaticPortMax = 60_999;
/** Wishes for published ports of one endpoint, each perhaps a range. */
export const portSpecsMax = 256;
/** Ports that one endpoint publishes. */
export const publishedPortsMax = 1_024;
/** Sockets of the author's host that an attach request reports because they are in the way of its ports. */
export const reportedListenersMax = 256;

/**
 * Named endpoints of one network that a hosts file lists. Every change of the list rewrites the file of every sandbox on
 * the network, so the list stays small; larger networks are served by DNS.
 */
export const hostsEndpointsPerNetworkMax = 1_000;

/** 32 bits with a sign, which every implementation has. */
export const gatewayPriorityMin: number = -(2 ** 31);
export const gatewayPriorityMax: number = 2 ** 31 - 1;

/** VNIs are 24 bits (RFC 7348); those below 256 are left to the operator, as Docker left them. */
export const vniMin = 256;
export const vniMax = 16_777_215;

/** IEEE 802.1Q: twelve bits, of which the first and the last value are reserved. */
export const vlanIdMin = 1;
export const vlanIdMax = 4_094;

/** RFC 791: every IPv4 module must forward 68 octets. 65535 is the largest the kernel's drivers take. */
export const mtuMin = 68;
export const mtuMax = 65_535;
/** Outer Ethernet, IP, UDP and VXLAN headers: 14 + 20 + 8 + 8 over IPv4, 20 more over IPv6 (RFC 7348 §5). */
export const vxlanOverheadBytesIpv4 = 50;
export const vxlanOverheadBytesIpv6 = 70;

assert(recordBytesMax <= entryBytesMax, 'an entry must hold the largest record');
assert(vniMin > 0 && vniMax < 2 ** 24, 'a VNI has 24 bits');
