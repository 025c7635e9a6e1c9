/** Bounds of the archive's files, each with its unit in its name. */

/** A file is closed, and compressed, when it has so many lines or bytes: it is read as a whole. */
export const segmentLinesMax = 8_192;
export const segmentBytesMax = 8 * 1024 * 1024;
/** What a compressed file may expand to: a file over its bound by the last write, of lines of the longest records. */
export const expandedBytesMax = 128 * 1024 * 1024;
