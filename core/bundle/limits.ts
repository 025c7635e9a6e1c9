/** Every bound of a bundle, with its unit in its name: what a reader takes from a file that anybody may have made. */
import { assert } from '../lib/assert.ts';
import { entryBytesMax } from '../limits.ts';

/** One line. The longest are hosts files: a thousand endpoints with all the aliases they may have are about 9 MB. */
export const bundleLineBytesMax = 16 * 1024 * 1024;
/** Lines but those of entries, which are the ones that a reader keeps. A hundred thousand endpoints make 200,000. */
export const bundleKeptLinesMax = 4_000_000;

assert(6 * entryBytesMax < bundleLineBytesMax, 'an entry fits in a line, however its bytes are escaped');
