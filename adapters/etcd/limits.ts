/** Bounds of the etcd adapter, each with its unit in its name, and the relations between them. */
import { assert } from '../../core/lib/assert.ts';
import { entryBytesMax } from '../../core/limits.ts';
import { appenderDefaults } from '../../core/log/appender-options.ts';

/**
 * One try of one call. A follower lets a request for a dead leader wait 7 s; two tries outlive an election. Shorter than
 * an attempt of the appender: a call that runs out of time costs its member the turn and its connection, and one that is
 * cancelled does not.
 */
export const callDeadlineMs = 900;
/** Waiting for a connection before a call is sent. */
export const connectDeadlineMs = 1_000;
/** Tries of one read (idempotent, so repeated at once on the next member). */
export const readTriesMax = 3;
/**
 * Listing what lies after a position makes the server look at every live key; a log of gigabytes takes longer than one
 * call's deadline, so the deadline of a listing doubles with each listing that ran out of time, up to this.
 */
export const listDeadlineMsMax = 32_000;

/** Keys of one listing; about 100 bytes each in the answer. */
export const listKeysMax = 16_384;
/** Values fetched by the first batch of a catch-up, when nothing is known yet of their size. */
export const batchEntriesFirst = 8;
/** etcd takes at most 128 operations a transaction (`--max-txn-ops`). */
export const batchEntriesMax = 100;
/** Keys that one transaction deletes, each with a comparison of its own. */
export const deletesMax = 100;
/** Beats of one read, 128 KiB at most. */
export const beatsPerRead = 128;
/** What a batch of values should weigh. */
export const batchBytesTarget = 1024 * 1024;

/** Events held for a consumer that does not keep up; beyond it the stream is dropped and the tail reads by range again. */
export const watchBufferBytesMax = 4 * 1024 * 1024;
/** A watch that has been idle for so long asks for a sign of life: all day, so seldom. */
export const watchProgressMs = 1_500;
/** And, until it gets one, again this often. */
export const watchProgressAgainMs = 500;
/** No message for so long while waiting for one: the stream is dead. */
export const watchSilenceMsMax = 3_000;
/** Waiting for the server to confirm a watch. */
export const watchCreateMsMax = 2_500;
/** An idle watch compares what it saw with the head of the log this often: watches of old servers lose events. */
export const watchAuditMs = 10_000;

/** Pause between two tries of a tail to get its stream back; grows by doubling, with jitter. */
export const resyncDelayMsMin = 30;
export const resyncDelayMsMax = 1_000;

/** Ordinals of `base` that share a bucket of keys. */
export const bucketOrdinals = 1_024;
/** Digits of a bucket in a key: 2^53 / 1024 has 13. */
export const bucketDigits = 13;

/** HTTP/2 pings. etcd drops a connection that pings more often than every 5 s (`--grpc-keepalive-min-time`). */
export const keepaliveTimeMs = 6_000;
export const keepaliveTimeoutMs = 2_000;
/** gRPC's own reconnecting. */
export const reconnectDelayMsMin = 100;
export const reconnectDelayMsMax = 1_000;

assert(
  callDeadlineMs < appenderDefaults.attemptMsMax,
  'a call must run out of time before the appender gives it up: or a half-open connection would be kept',
);
assert(keepaliveTimeMs >= 5_000, 'etcd drops connections that ping more often than every 5 s');
assert(
  watchSilenceMsMax > watchProgressMs + 2 * watchProgressAgainMs,
  'a live server must have had more than one chance to answer, and a second for it',
);
assert(
  Math.max(batchEntriesMax, deletesMax) <= 127,
  'a transaction of etcd has at most 128 operations, and as many comparisons',
);
assert(
  batchEntriesFirst * entryBytesMax <= watchBufferBytesMax,
  'the first batch is bounded like the watch buffer',
);
assert(bucketOrdinals * 10 ** bucketDigits > Number.MAX_SAFE_INTEGER, 'every ordinal must have a bucket');
