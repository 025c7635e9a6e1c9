/** Times of the succession of logs, in milliseconds. */

/** Pause between two looks for the log to go on in, with jitter: a cluster that waits does so for an operator. */
export const lookAgainMs = 500;
/** A host that finds the log it is to move to not begun waits up to this long for others before it begins it itself. */
export const beginTurnMsMax = 1_000;
