/** When the archive is written, with the units in the names. */

/** Lines in one write, which ends with a sync. */
export const archiveBatchLines = 256;
/** Lines wait so long for others, so that a steady trickle does not sync for each. */
export const archiveDelayMs = 1_000;
/** It looks whether something waits after this time at the latest. */
export const archiveIdleMs = 60_000;
/** Pause after a write that failed. */
export const archiveRetryMs = 5_000;
/** Lines that wait while nothing can be written; beyond that the oldest go, and leave a gap. */
export const archiveWaitingMax = 10_000;
