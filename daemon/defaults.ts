/** Every default and bound of the daemon, with its unit in its name. */

export const storeUrlDefault = 'file:/var/lib/weft/log';
export const dataDirectoryDefault = '/var/lib/weft';
/** In the data directory. */
export const archiveFolder = 'archive';
/** MiB of files of the archive: some ten million records. */
export const archiveMibDefault = 1_024;
/** Less would hardly hold what two snapshots lie apart. */
export const archiveMibMin = 16;
export const archiveMibMax = 1_048_576;
export const netnsPrefixDefault = 'weft-';
export const logLevelDefault = 'info';

/** Locks that concern the whole machine, whatever data directory and socket a daemon has. */
export const runtimeDirectory = '/run/weft';

/** A namespace's name is the prefix and ten digits; interface and file names leave room for more than anybody needs. */
export const netnsPrefixLengthMax = 32;

/** Log lines kept for bundles, and how much of each. */
export const recentLinesMax = 500;
export const recentLineLengthMax = 2_000;

/** One service's time to stop, and the time for all of them: what systemd and people wait before they kill. */
export const serviceStopMsMax = 2_000;
export const stopMsMax = 5_000;
/** Of which requests under way may still be answered for so long. */
export const requestGraceMs = 1_000;

/** Of `host-grace` and `host-retention`: beats are not written faster than twice a second, and nothing is kept for ever. */
export const hostSpanMsMin = 3_000;
export const hostSpanMsMax = 365 * 86_400_000;
