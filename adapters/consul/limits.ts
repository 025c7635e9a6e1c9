/** Bounds of the Consul adapter, each with its unit in its name, and the relations between them. */
import { assert } from '../../core/lib/assert.ts';
import { entryBytesMax, snapshotChunkBytesMax, snapshotChunksMax } from '../../core/limits.ts';
import { appenderDefaults } from '../../core/log/appender-options.ts';

/**
 * One try of one call. A server holds a call that waits for a leader for 7 s (`rpc_hold_timeout`); we ask another. Shorter
 * than an attempt of the appender: a call that runs out of time costs its member the turn, and one that is cancelled does
 * not.
 */
export const callDeadlineMs = 900;
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
/** Times that one append or trim moves on to a segment that another author has begun meanwhile. */
export const segmentMovesMax = 64;

/** Operations of one transaction; newer servers take twice as many. */
const transactionOperationsMax = 64;
/** Keys under ids that one transaction of a trim removes: all but the check of the floor. */
export const idsPerTransaction = transactionOperationsMax - 1;
/** Segments that one transaction removes: it is one write for the servers, whatever is in them. */
export const segmentsPerTransaction = 16;
/** Manifests that are read at once, some hundreds of KiB. */
export const manifestsPerRead = 16;
/** Times that one write of a snapshot looks at the log's identity. */
export const identityTriesMax = 3;

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
/** Digits of a chunk of a snapshot in a key. */
export const chunkDigits = 6;

/** Words of a server that are passed on in a message. */
export const reasonLengthMax = 200;

/** What Consul takes as the body of a transaction, in base64 and JSON. */
const transactionBytesMax = 512 * 1024;
/** Keys, the other operations, punctuation. */
const transactionOverheadBytes = 8 * 1024;

assert(
  Math.ceil(Math.max(entryBytesMax, snapshotChunkBytesMax) / 3) * 4 + transactionOverheadBytes <=
    transactionBytesMax,
  'the largest entry and the largest chunk must fit a transaction in base64',
);
assert(
  callDeadlineMs < appenderDefaults.attemptMsMax,
  'a call must run out of time before the appender gives it up: or a frozen member would keep its turn',
);
assert(waitMs <= 30_000, 'a reader of an index of the future must look again soon');
assert(
  waitMarginMs > waitMs / 16 + callDeadlineMs,
  'the margin covers the jitter of the server and the answer',
);
assert(bucketOrdinals * 10 ** bucketDigits > Number.MAX_SAFE_INTEGER, 'every ordinal must have a bucket');
assert(snapshotChunksMax <= 10 ** chunkDigits, 'every chunk must have a key');
assert(manifestsPerRead < transactionOperationsMax, 'the identity is read with the manifests');
