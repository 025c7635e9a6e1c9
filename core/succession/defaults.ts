/** Times of the succession of logs, in milliseconds. */

/** Pauses between two looks for the log to go on in: a move is over soon, and an operator takes his time. */
export const lookPauses = { retryDelayMsMin: 500, retryDelayMsMax: 5_000 };
/** A host that finds the log it is to move to not begun waits up to this long for others before it begins it itself. */
export const beginTurnMsMax = 1_000;
