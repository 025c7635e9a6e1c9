/** Bounds of the Consul adapter, each with its unit in its name, and the relations between them. */
import { assert } from '../../core/lib/assert.ts';
import { entryBytesMax } from '../../core/limits.ts';

/** One try of one call. A server holds a call that waits for a leader for 7 s (`rpc_hold_timeout`); we ask another. */
export const callDeadlineMs = 1_000;
/** From the look-up of the name to the end of the TLS handshake. */
export const connectDeadlineMs = 1_000;
/** Tries of one read (idempotent, so repeated at once on the next member). */
export const readTriesMax = 3;
/** Reading a whole segment. */
export const listDeadlineMs = 5_000;
/**
 * How long a server holds a read of the open segment in which nothing changes. Short, for two reasons: no write wakes a
 * query that waits for an index of the future, as one does after a restore; and nothing else tells of a frozen server.
 */
export const waitMs = 3_000;
/** The server adds up to a sixteenth to the wait; the rest is for the answer. */
export const waitMarginMs = 2_000;

/**
 * A segment is ended by one append in so many, and by large ones more often: one of this weight always ends it. A tail
 * reads the open segment whole whenever it wakes.
 */
export const segmentEntriesMean = 128;
export const segmentBytesMean = 128 * 1024;
/** Times that one append moves on to a segment that another author has begun meanwhile. */
export const segmentMovesMax = 64;

/** Consul refuses a client address more than 200 connections (`limits.http_max_conns_per_client`). */
export const connectionsMax = 64;

/** Pause between two tries of a tail to read again; grows by doubling, with jitter. */
export const resyncDelayMsMin = 30;
export const resyncDelayMsMax = 1_000;
/** After waking for nothing. */
export const idleWakeDelayMs = 30;

/** Ordinals of `base` that share a folder of ids. */
export const bucketOrdinals = 1_024;
/** Digits of a bucket in a key: 2^53 / 1024 has 13. */
export const bucketDigits = 13;
/** Digits of a segment in a key. */
export const segmentDigits = 12;

/** Words of a server that are passed on in a message. */
export const reasonLengthMax = 200;

/** What Consul takes as the body of a transaction, in base64 and JSON. */
const transactionBytesMax = 512 * 1024;
/** Keys, the other operations, punctuation. */
const transactionOverheadBytes = 8 * 1024;

assert(
  Math.ceil(entryBytesMax / 3) * 4 + transactionOverheadBytes <= transactionBytesMax,
  'the largest entry must fit a transaction in base64',
);
assert(waitMs <= 30_000, 'a reader of an index of the future must look again soon');
assert(
  waitMarginMs > waitMs / 16 + callDeadlineMs,
  'the margin covers the jitter of the server and the answer',
);
assert(bucketOrdinals * 10 ** bucketDigits > Number.MAX_SAFE_INTEGER, 'every ordinal must have a bucket');
