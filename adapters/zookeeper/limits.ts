/** Bounds of the ZooKeeper adapter, each with its unit in its name, and the relations between them. */
import { assert } from '../../core/lib/assert.ts';
import { entryBytesMax, snapshotChunkBytesMax } from '../../core/limits.ts';
import { prefixLengthMax } from '../limits.ts';

/**
 * From a request to its answer. A server that lost its leader ends its connections at once; only one that is frozen or cut
 * off makes a request wait for so long, and then the whole connection is given up.
 */
export const callDeadlineMs = 3_000;
/** TCP, and TLS where it is used. */
export const connectDeadlineMs = 1_000;
/** The handshake: a new session is a write, so it needs a leader. */
export const sessionDeadlineMs = 2_000;
/** Asked for; the server takes 2 to 20 of its ticks. Nothing ephemeral hangs on it, an abandoned session just ends. */
export const sessionTimeoutMs = 10_000;
/** For the server to end the connection after it was told that the session is over. */
export const closeGraceMs = 100;
/** Tries of one read (idempotent, so repeated at once on the next member). */
export const readTriesMax = 3;
/** Tries of an append of which each was refused because the open segment or a folder had changed. */
export const appendTriesMax = 32;

/**
 * ZooKeeper drops a connection that brings more than `jute.maxbuffer` (1 MiB by default) in one request, without a word:
 * to the author that looks like a lost connection, for ever. So larger ones are not sent.
 */
export const requestBytesMax = 1023 * 1024;
/** What a request needs beside the bytes of its entry: paths, ACLs, headers. */
export const requestOverheadBytesMax = 8 * 1024;
/** Larger answers do not come from a server with its default `jute.maxbuffer`: whatever speaks there is no ZooKeeper. */
export const answerBytesMax = 64 * 1024 * 1024;

/** An append that fills a segment opens the next. */
export const segmentEntries = 1_024;
/** ZooKeeper's own: ten digits after the name of a sequential node. */
export const sequenceDigits = 10;
/** Digits of a segment's number in its name. */
export const segmentDigits = 10;

/** Values fetched by the first batch of a catch-up, when nothing is known yet of their size. */
export const batchEntriesFirst = 8;
export const batchEntriesMax = 256;
/** What a batch of values should weigh. */
export const batchBytesTarget = 1024 * 1024;

/** A tail that waits looks by itself this often: watches find a dead connection only when something is asked. */
export const tailPollMs = 2_000;
/** Pause between two tries of a tail to go on; grows by doubling, with jitter. */
export const resyncDelayMsMin = 30;
export const resyncDelayMsMax = 1_000;

/** Entries that a trim at most reads at once, and then deletes in one transaction, each with its id. */
export const sweepEntries = 64;
/** Nodes that one transaction deletes of a log that is discarded, and tries of the last one. */
export const discardNodes = 256;
export const discardTriesMax = 8;
/** Tries of moving the floor of which each met another host that had just moved it. */
export const trimTriesMax = 32;
/** Chunks that one transaction deletes. */
export const dropChunks = 128;
/** Tries of a write beside the log of which each met somebody who had just changed the same. */
export const besideTriesMax = 32;

/** Ordinals of `base` that share a folder of ids. */
export const bucketOrdinals = 1_024;
/** Digits of a bucket in a path: 2^53 / 1024 has 13. */
export const bucketDigits = 13;

assert(entryBytesMax + requestOverheadBytesMax <= requestBytesMax, 'the largest entry must fit one request');
assert(2 * prefixLengthMax * 4 < requestOverheadBytesMax, 'the paths of an append must fit its overhead');
assert(
  Math.max(2 * sweepEntries, dropChunks) * (prefixLengthMax + 256) < requestBytesMax,
  'what is deleted at once must fit one request',
);
assert(
  snapshotChunkBytesMax + requestOverheadBytesMax <= requestBytesMax,
  'the largest chunk must fit one request',
);
assert(bucketOrdinals * 10 ** bucketDigits > Number.MAX_SAFE_INTEGER, 'every ordinal must have a bucket');
