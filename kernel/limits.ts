/** Every bound of the kernel adapter, with its unit in its name, and why it is that. */
import { assert } from '../core/lib/assert.ts';

/**
 * Requests in one `send`. Each that fails is answered by a message of less than 2 KiB of socket memory, which must all
 * fit the receive buffer, because the kernel carries the whole batch out before the first answer is read.
 */
export const batchRequestsMax = 128;
/** Bytes in one `send`; below the default send buffer (`net.core.wmem_default`, 212,992) less its overhead. */
export const batchBytesMax = 64 * 1024;
/** One request. The largest of weft's, a veth pair with all its members, has less than 1 KiB. */
export const requestBytesMax = 4 * 1024;
/** A dump comes in datagrams of at most 32 KiB (`netlink_recvmsg`); room for a page more, so that truncation shows. */
export const datagramBytesMax = 64 * 1024;
/** Receive buffer of a request socket: half of it is what a full batch of errors can need. */
export const requestBufferBytes = 1024 * 1024;
/** Receive buffer of a notification socket: some 10,000 FDB entries changed at once. What is lost makes a dump. */
export const notificationBufferBytes = 8 * 1024 * 1024;
/** How often a dump that was interrupted by a change is repeated before it is given up. */
export const dumpAttemptsMax = 16;
/** Messages of one dump. 100,000 endpoints with a neighbour and an FDB entry, and reserve. */
export const dumpMessagesMax = 4_000_000;
/** Messages that are decoded before other work of the process gets its turn. */
export const decodedMessagesBeforeYield = 4096;
/** Datagrams that the watch reads from one namespace before it hands out what they say. */
export const notificationsPerTurnMax = 2048;
/** Descriptors that one wait reports. */
export const readyDescriptorsMax = 64;
/** A hosts file that is larger is left alone: it is read and written whole. */
export const hostsFileBytesMax = 4 * 1024 * 1024;
/** Names in the namespace directory that are looked at. */
export const namedNamespacesMax = 65_536;

assert(requestBytesMax < batchBytesMax, 'a batch must hold the largest request');
assert(batchRequestsMax * 2048 <= requestBufferBytes, 'the answers of a batch must fit the receive buffer');

/** Own transactions of nftables whose notifications may still be on their way. */
export const ownGenerationsMax = 4_096;

/** Links of which it is remembered where their mates are: twice as many as endpoints that a host is made for. */
export const peersRememberedMax = 16_384;
/** Namespaces that are looked into before others get their turn; each takes some 0.1 ms. */
export const namespacesBeforeYield = 64;
