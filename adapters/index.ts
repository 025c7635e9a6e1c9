/**
 * What stands behind the ports of the core, for programs that embed weft: logs by the URL of their store, and time,
 * randomness and log lines of the machine. `README.md` tells of the folders.
 */
export { DirectoryArchive, type DirectoryArchiveOptions } from './archive/directory-archive.ts';
export { type OpenLogDeps, openLog, type StoreSecrets } from './open-log.ts';
export { SystemClock } from './system/clock.ts';
export { GzipCompression } from './system/compression.ts';
export { createLogger } from './system/logger.ts';
export { SystemRandom } from './system/random.ts';
