/** Times and bounds of the controller, each with its unit and why it is what it is. */
import { assert } from '../lib/assert.ts';

/** A change is answered within this time, whatever the store does: people and orchestrators give up at five seconds. */
export const requestDeadlineMs = 4_500;
/** Of which appending may take so long; what is left then is for the outcome to come back by the tail. */
export const appendDeadlineMs = 3_500;
/** How long a look-up waits for the store before "not found" is answered from what this host knows. */
export const catchUpDeadlineMs = 1_000;
/** How long `status` waits for the store's head. */
export const statusDeadlineMs = 500;
/** First and longest pause between attempts to open the store; doubled each time, with jitter. */
export const reopenDelayMsMin = 250;
export const reopenDelayMsMax = 5_000;
/** Pause between attempts to join when the store was lost in the middle. */
export const rejoinDelayMs = 500;
/** Whether this host has been given up is looked at when the fold says so, and after this time. */
export const rejoinCheckMs = 60_000;
/**
 * A sandbox that is gone is looked at again after this time before its endpoints are released: a reference may be
 * replaced in two steps by whoever owns it.
 */
export const sandboxGraceMs = 500;
/** How often the sandboxes of this host are looked at when nothing draws attention to them. */
export const sandboxCheckIntervalMs = 10_000;
/** Whether a snapshot is due is looked at when the fold goes on, and after this time; so long is also the pause after a failure. */
export const keeperDelayMs = 60_000;
/** Attempts at one write of a snapshot, with these pauses between them: about half a minute altogether. */
export const keeperAttemptsMax = 12;
export const keeperPauses = { retryDelayMsMin: 100, retryDelayMsMax: 5_000 };
/** The same where somebody waits for the answer: some seconds, unless the store is silent. */
export const askedAttemptsMax = 5;
/** Records kept with their outcomes for `weft log`. */
export const historyItemsMax = 10_000;
/** Positions remembered to tell whether an entry has been applied already. */
export const recentPositionsMax = 4_096;
/** Hashes kept along the log for bundles. When there are more, every second goes, so they always span all of it. */
export const checkpointsMax = 512;
/** Ordinals between two of them at the beginning. */
export const checkpointStrideOrdinals = 16;
/** Looks at the kernel for a bundle until one falls in a quiet moment, and the pause between them. */
export const evidenceLooksMax = 5;
export const evidenceLookAgainMs = 100;
/** What one page of the log's entries holds, and how long it may take when the store does not answer. */
export const entryPageEntriesMax = 1_024;
export const entryPageBytesMax = 2 * 1024 * 1024;
export const entryPageMs = 3_000;

/** One page of an export, characters; its last line may come on top. */
export const exportPageCharsMax = 1024 * 1024;

/** How long `store status` waits for the store: for manifests, and for whole snapshots where it is to read them. */
export const storeLookMs = 2_000;
export const storeCheckMs = 20_000;

assert(appendDeadlineMs < requestDeadlineMs, 'an append must end before its request does');
