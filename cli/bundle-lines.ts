/** What the daemon answers, as the lines of a bundle. One page of the log, or one chunk of a snapshot, is in memory at a time. */
import type { EvidenceView } from '../api/index.ts';
import { type BundleLine, bundleFormat } from '../core/bundle/lines.ts';
import { isWeftError, type WeftError } from '../core/errors.ts';
import type { Manifest } from '../core/snapshot/manifest.ts';
import type { Context } from './context.ts';

/** What was put in a bundle. */
export interface Told {
  entries: number;
  /** Where it begins, when not with the log's first record. */
  snapshotOrdinal?: number;
  /** Why not all of the log is in it. */
  brokenOff?: WeftError;
}

/** @param told is filled while the lines are taken */
export async function* bundleLines(
  context: Context,
  evidence: EvidenceView,
  madeAt: string,
  told: Told,
): AsyncGenerator<BundleLine, void, void> {
  yield headerOf(evidence, madeAt);
  const { status, configuration, system } = evidence;
  yield { type: 'daemon', status, configuration, system };
  for (const checkpoint of evidence.checkpoints) yield { type: 'checkpoint', ...checkpoint };
  for (const repair of evidence.repairs) yield { type: 'repair', ...repair };
  for (const failing of evidence.failing) yield { type: 'failing', ...failing };
  yield { type: 'kernel', ...evidence.kernel };
  for (const object of evidence.objects) yield { type: 'object', object };
  for (const text of evidence.logLines) yield { type: 'log-line', text };
  try {
    const { position: until, ordinal } = evidence;
    if (until === '') return;
    const { snapshot } = await context.call('logStart', { query: { until, ordinal: String(ordinal) } });
    if (snapshot !== undefined) yield* snapshotLines(context, snapshot, told);
    yield* entryLines(context, snapshot?.position, until, told);
  } catch (error) {
    // What there is of a host without its store is worth sending: it may be what the report is about.
    if (!isWeftError(error) || error.code === 'daemon-unreachable') throw error;
    told.brokenOff = error;
    yield { type: 'broken-off', reason: error.message };
  }
}

function headerOf(evidence: EvidenceView, madeAt: string): BundleLine {
  const { ordinal, recordHash, stateHash, position, recordVersion, status } = evidence;
  const { url, logId } = status.store;
  return {
    type: 'bundle',
    format: bundleFormat,
    weft: status.version,
    recordVersion,
    madeAt,
    host: status.host,
    store: url,
    ...(logId === undefined ? {} : { logId }),
    position,
    ordinal,
    recordHash,
    stateHash,
  };
}

/** A chunk at a time, which are whole lines. */
async function* snapshotLines(
  context: Context,
  manifest: Manifest,
  told: Told,
): AsyncGenerator<BundleLine, void, void> {
  told.snapshotOrdinal = manifest.ordinal;
  yield { type: 'snapshot', manifest };
  for (let chunk = 0; chunk < manifest.chunks; chunk += 1) {
    const input = { params: { ref: manifest.id }, query: { chunk: String(chunk) } };
    const { items } = await context.call('snapshotLines', input);
    for (const text of items) yield { type: 'snapshot-line', text };
  }
}

async function* entryLines(
  context: Context,
  start: string | undefined,
  until: string,
  told: Told,
): AsyncGenerator<BundleLine, void, void> {
  let after = start;
  for (let end = false; !end; ) {
    const page = await context.call('entries', { query: { until, ...(after !== undefined && { after }) } });
    for (const entry of page.items) {
      yield { type: 'entry', ...entry };
      after = entry.position;
      told.entries += 1;
    }
    end = page.end;
  }
}
