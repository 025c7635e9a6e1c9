/** Bundles made in memory: of a controller that lives in the process, or of lines that a spec has written. */
import { entryText } from '../../core/bundle/entry-text.ts';
import { type BundleLine, bundleFormat } from '../../core/bundle/lines.ts';
import { bundleBytes } from '../../core/bundle/write.ts';
import type { Controller } from '../../core/controller/controller.ts';
import { cancelScope } from '../../core/lib/cancel-scope.ts';
import { genesis, type LogEntry } from '../../core/log/event-log.ts';
import { recordVersion } from '../../core/log/record.ts';

export async function* each<T>(items: Iterable<T>): AsyncGenerator<T, void, void> {
  yield* items;
}

/** The bytes of a bundle before compression. */
export async function bytesOf(lines: Iterable<BundleLine>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bundleBytes(each(lines))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The same bytes, cut anew each time that they are asked for. */
export function chunksOf(bytes: Uint8Array, size = 1_000): () => AsyncGenerator<Uint8Array, void, void> {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return () => each(chunks);
}

/** The lines of a bundle of a living controller, as the daemon and the command line make them. */
export async function linesOf(controller: Controller): Promise<BundleLine[]> {
  const { signal } = cancelScope();
  const evidence = await controller.evidence(signal);
  const status = await controller.status(signal);
  const snapshot = await controller.logStart(evidence, signal);
  const snapshotTexts: string[] = [];
  for (let chunk = 0; snapshot !== undefined && chunk < snapshot.chunks; chunk += 1)
    snapshotTexts.push(...(await controller.snapshotLines(snapshot.id, chunk, signal)));
  const entries: LogEntry[] = [];
  for (let end = false; !end; ) {
    const after = entries.at(-1)?.position ?? snapshot?.position ?? genesis;
    const page = await controller.entries({ after, until: evidence.position }, signal);
    entries.push(...page.entries);
    end = page.end;
  }
  const { ordinal, recordHash, stateHash, position, checkpoints, kernel } = evidence;
  const { steady, fault } = kernel;
  return [
    {
      type: 'bundle',
      format: bundleFormat,
      weft: status.version,
      recordVersion,
      madeAt: '2015-11-23T12:00:00Z',
      host: status.host,
      store: status.store.url,
      ...(status.store.logId === undefined ? {} : { logId: status.store.logId }),
      position,
      ordinal,
      recordHash,
      stateHash,
    },
    {
      type: 'daemon',
      status: { ...status },
      configuration: { 'netns-prefix': 'weft-' },
      system: {},
    },
    ...checkpoints.map((checkpoint) => ({ type: 'checkpoint' as const, ...checkpoint })),
    { type: 'kernel', steady, ...(fault === undefined ? {} : { fault }) },
    ...kernel.objects.map((object) => ({ type: 'object' as const, object })),
    ...(snapshot === undefined ? [] : [{ type: 'snapshot' as const, manifest: snapshot }]),
    ...snapshotTexts.map((text) => ({ type: 'snapshot-line' as const, text })),
    ...entries.map((entry) => ({ type: 'entry' as const, ...entryText(entry) })),
  ];
}
