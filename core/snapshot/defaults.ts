/** How often snapshots are made, and who makes them. */
import { assert } from '../lib/assert.ts';

/** Records between two snapshots, at least. Two are kept, so that a log holds about three times as many records. */
export const snapshotOrdinalsMin = 2_048;
/**
 * A large state is written down less often: when the log has grown by this part of what is in the state, so that
 * writing snapshots costs as much a record however large the state is.
 */
export const snapshotStatePart = 1 / 4;
/** When the host whose turn it is has not made one after this part of the distance, it is the next one's turn too. */
export const turnPart = 1 / 8;
/** Whole snapshots that are left in the store. The log is trimmed behind the older one. */
export const snapshotsKept = 2;

/** Attempts at one write where a log is begun from a state, with these pauses between them: some seconds. */
export const beginAttemptsMax = 8;
export const beginPauses = { retryDelayMsMin: 100, retryDelayMsMax: 2_000 };

assert(snapshotsKept >= 2, 'a snapshot that turns out to be damaged must have another before it');
assert(snapshotOrdinalsMin * turnPart >= 1, 'turns must differ');
