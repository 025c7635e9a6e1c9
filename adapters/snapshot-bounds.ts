/** What no store is asked to keep: checked before anything is sent, and alike for all of them. */
import { WeftError } from '../core/errors.ts';
import { snapshotChunkBytesMax, snapshotManifestBytesMax } from '../core/limits.ts';

const bounds = { chunk: snapshotChunkBytesMax, manifest: snapshotManifestBytesMax } as const;

/** @throws WeftError `too-large` */
export function requireFit(part: keyof typeof bounds, bytes: Uint8Array): void {
  const bytesMax = bounds[part];
  if (bytes.length <= bytesMax) return;
  throw new WeftError(
    'too-large',
    `A ${part} of a snapshot of ${bytes.length} bytes is over the bound of ${bytesMax}: cut it into more chunks`,
  );
}
