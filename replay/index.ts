/**
 * A bundle's log lived again: folded entry by entry by production code, compiled for one host, and carried out on a kernel
 * in memory, beside what the bundle recorded. Needs no daemon, no store and no root. `weft replay` shows it.
 *
 * Vocabulary: the *dossier* is what a bundle holds beside the entries; the *verdict* is what came of the comparison: the
 * hashes that the daemon had against those of the replay, and the kernel objects that it found against those that should
 * have been there. Of a log that was trimmed, a replay begins from the snapshot that the bundle has in place of the
 * records before.
 *
 * Pure: no clock, no randomness, no files. The same bundle and the same weft give the same events and the same verdict.
 */

export type { Difference } from './difference.ts';
export type { Opened, ReplayedEntry, ReplayedRecord, ReplayedSnapshot } from './events.ts';
export { type ReplayOptions, replayBundle } from './replay.ts';
export type { HashVerdict, KernelVerdict, Verdict } from './verdict.ts';
