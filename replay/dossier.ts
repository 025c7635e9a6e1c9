/** Everything of a bundle but its entries, kept in memory; reading it through proves that the file is whole. */

import { bundleKeptLinesMax } from '../core/bundle/limits.ts';
import type { BundleHeader, BundleLine, BundleLineOf, Checkpoint } from '../core/bundle/lines.ts';
import { badBundle, readBundle } from '../core/bundle/read.ts';
import type { KernelObject } from '../core/dataplane/object.ts';
import type { Manifest } from '../core/snapshot/manifest.ts';

export interface Dossier {
  readonly header: BundleHeader;
  readonly daemon?: BundleLineOf<'daemon'>;
  readonly checkpoints: readonly Checkpoint[];
  readonly failing: readonly BundleLineOf<'failing'>[];
  readonly repairs: number;
  readonly kernel?: BundleLineOf<'kernel'>;
  readonly objects: readonly KernelObject[];
  /** What the entries go on from, where the log was trimmed. */
  readonly snapshot?: Manifest;
  readonly entries: number;
  readonly brokenOff?: string;
}

/** @throws WeftError `bad-bundle`, `newer-bundle` */
export async function readDossier(chunks: AsyncIterable<Uint8Array>): Promise<Dossier> {
  const kept: BundleLine[] = [];
  let entries = 0;
  for await (const line of readBundle(chunks)) {
    if (line.type === 'snapshot') requireFitting(line.manifest, kept, entries);
    if (line.type === 'entry') entries += 1;
    else if (
      line.type !== 'log-line' &&
      line.type !== 'snapshot-line' &&
      kept.push(line) > bundleKeptLinesMax
    ) {
      throw badBundle(`it has more than ${bundleKeptLinesMax} lines beside its entries`);
    }
  }
  const [header] = linesOf(kept, 'bundle');
  if (header === undefined) throw badBundle('it has no header');
  const [daemon] = linesOf(kept, 'daemon');
  const [kernel] = linesOf(kept, 'kernel');
  const [snapshot] = linesOf(kept, 'snapshot');
  const [brokenOff] = linesOf(kept, 'broken-off');
  return {
    header,
    ...(daemon === undefined ? {} : { daemon }),
    checkpoints: linesOf(kept, 'checkpoint'),
    failing: linesOf(kept, 'failing'),
    repairs: linesOf(kept, 'repair').length,
    ...(kernel === undefined ? {} : { kernel }),
    objects: linesOf(kept, 'object').map(({ object }) => object),
    ...(snapshot === undefined ? {} : { snapshot: snapshot.manifest }),
    entries,
    ...(brokenOff === undefined ? {} : { brokenOff: brokenOff.reason }),
  };
}

/** A snapshot comes once, before the entries, is of the same log, and not of later than the bundle. */
function requireFitting(manifest: Manifest, before: readonly BundleLine[], entries: number): void {
  const [header] = linesOf(before, 'bundle');
  const [other] = linesOf(before, 'snapshot');
  if (other !== undefined) throw badBundle('it begins with two snapshots');
  if (entries > 0) throw badBundle('its snapshot comes after entries');
  if (header?.logId !== manifest.logId) throw badBundle(`its snapshot is of another log, ${manifest.logId}`);
  if (manifest.ordinal > header.ordinal)
    throw badBundle(`its snapshot is of ordinal ${manifest.ordinal}, and the bundle of ${header.ordinal}`);
}

function linesOf<T extends BundleLine['type']>(lines: readonly BundleLine[], type: T): BundleLineOf<T>[] {
  return lines.filter((line): line is BundleLineOf<T> => line.type === type);
}
