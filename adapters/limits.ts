/** Bounds that the stores of several servers share, each with its unit in its name. */

/** Hosts of one URL. */
export const hostsMax = 32;
/** Length of a key prefix, bytes. */
export const prefixLengthMax = 255;
