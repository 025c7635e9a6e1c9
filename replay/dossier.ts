/** Everything of a bundle but its entries, kept in memory; reading it through proves that the file is whole. */

import { bundleKeptLinesMax } from '../core/bundle/limits.ts';
import type { BundleHeader, BundleLine, BundleLineOf, Checkpoint } from '../core/bundle/lines.ts';
import { badBundle, readBundle } from '../core/bundle/read.ts';
import type { KernelObject } from '../core/dataplane/object.ts';

export interface Dossier {
  readonly header: BundleHeader;
  readonly daemon?: BundleLineOf<'daemon'>;
  readonly checkpoints: readonly Checkpoint[];
  readonly failing: readonly BundleLineOf<'failing'>[];
  readonly repairs: number;
  readonly kernel?: BundleLineOf<'kernel'>;
  readonly objects: readonly KernelObject[];
  readonly entries: number;
  readonly brokenOff?: string;
}

/** @throws WeftError `bad-bundle`, `newer-bundle` */
export async function readDossier(chunks: AsyncIterable<Uint8Array>): Promise<Dossier> {
  const kept: BundleLine[] = [];
  let entries = 0;
  for await (const line of readBundle(chunks)) {
    if (line.type === 'entry') entries += 1;
    else if (line.type !== 'log-line' && kept.push(line) > bundleKeptLinesMax) {
      throw badBundle(`it has more than ${bundleKeptLinesMax} lines beside its entries`);
    }
  }
  const [header] = linesOf(kept, 'bundle');
  if (header === undefined) throw badBundle('it has no header');
  const [daemon] = linesOf(kept, 'daemon');
  const [kernel] = linesOf(kept, 'kernel');
  const [brokenOff] = linesOf(kept, 'broken-off');
  return {
    header,
    ...(daemon === undefined ? {} : { daemon }),
    checkpoints: linesOf(kept, 'checkpoint'),
    failing: linesOf(kept, 'failing'),
    repairs: linesOf(kept, 'repair').length,
    ...(kernel === undefined ? {} : { kernel }),
    objects: linesOf(kept, 'object').map(({ object }) => object),
    entries,
    ...(brokenOff === undefined ? {} : { brokenOff: brokenOff.reason }),
  };
}

function linesOf<T extends BundleLine['type']>(lines: readonly BundleLine[], type: T): BundleLineOf<T>[] {
  return lines.filter((line): line is BundleLineOf<T> => line.type === type);
}
