/** What no store is asked to keep of a daemon: checked before anything is sent, and alike for all of them. */
import { WeftError } from '../core/errors.ts';
import { beatBytesMax } from '../core/limits.ts';

/** @throws WeftError `too-large` */
export function requireBeatFits(bytes: Uint8Array): void {
  if (bytes.length <= beatBytesMax) return;
  throw new WeftError(
    'too-large',
    `A beat of ${bytes.length} bytes is over the bound of ${beatBytesMax}: say less in it`,
  );
}
