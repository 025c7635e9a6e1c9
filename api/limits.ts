/** Every bound of the API, with its unit in its name: what the server takes and how long either side waits. */

/** A request's body. Twice the largest record, so that the log's bound is the one that users meet. */
export const bodyBytesMax = 128 * 1024;
/** A reference in a path: a full id is 64 characters, `NETWORK/NAME` 127, a sandbox path at most 255. */
export const refLengthMax = 255;
/** A position of a log in a query: the longest of any store is far below. */
export const positionLengthMax = 255;
/** Filters of one list. */
export const filtersMax = 64;
/** Records that one answer of the log holds, and how many are given where none were asked for. */
export const historyItemsMax = 10_000;
export const historyItemsDefault = 100;

/** Time that a client may take to send its request; a slower one is cut off. */
export const requestReceiveMsMax = 10_000;
/** Idle connections are kept this long. */
export const keepAliveMs = 5_000;
/** Connections at once; further ones are refused until some end. */
export const connectionsMax = 1_024;
/** How long a client waits for an answer. The daemon gives up on its store after 5 s and says so itself. */
export const answerWaitMs = 30_000;
/** The same for a snapshot, which is written chunk by chunk and read back: 100,000 endpoints take some seconds. */
export const snapshotWaitMs = 10 * 60_000;
/** The same for a prune, which removes network by network, each by a record that must be durable. */
export const pruneWaitMs = 10 * 60_000;
/** An answer that a client reads. 100,000 endpoints are about 60 MB. */
export const answerBytesMax = 512 * 1024 * 1024;
