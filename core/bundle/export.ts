/**
 * An export: one file with all that a host knows of its cluster, from which a log in another store can be begun. In the
 * form of a bundle: a header that says what it stands at, the lines of the state (`core/snapshot`), and an end with a
 * digest. The state at an ordinal is all that the log up to there has led to, ids that were seen included, so there are
 * no entries in it. Nothing in it is a secret of the machine or of the store.
 */
import { z } from 'zod';
import { isWeftError, type WeftError } from '../errors.ts';
import type { State } from '../fold/state.ts';
import type { LogId } from '../model/ids.ts';
import { SnapshotReader } from '../snapshot/read-snapshot.ts';
import { headerSchema } from './lines.ts';
import { badFile, type FileKind, readLineFile } from './read.ts';

/** The format that this build writes, and the newest that it reads. */
export const exportFormat = 1;

const exportHeaderSchema = z.strictObject({
  ...headerSchema.shape,
  type: z.literal('export'),
  format: z.literal(exportFormat),
  logId: z.string().regex(/^[0-9a-f]{32}$/) as unknown as z.ZodType<LogId>,
});

const exportLineSchema = z.discriminatedUnion('type', [
  exportHeaderSchema,
  z.strictObject({ type: z.literal('state-line'), text: z.string() }),
]);

export type ExportHeader = z.output<typeof exportHeaderSchema>;
export type ExportLine = z.output<typeof exportLineSchema>;

export const exportKind: FileKind<ExportLine> = {
  name: 'export',
  format: exportFormat,
  schema: exportLineSchema,
  badCode: 'bad-export',
  newerCode: 'newer-export',
};

/**
 * What is in an export, read through to its end: the state's hash is computed anew and is the one that the header claims.
 *
 * @param chunks the bytes after decompression, cut anywhere
 * @throws WeftError `bad-export`, `newer-export`, `unknown-version` where the state is of a newer weft; what `chunks` throws
 */
export async function readExport(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly header: ExportHeader; readonly state: State }> {
  const reader = new SnapshotReader();
  let header: ExportHeader | undefined;
  for await (const line of readLineFile(chunks, exportKind)) {
    if (line.type === 'export') header = line;
    else sound(() => reader.take(line.text));
  }
  const state = sound(() => reader.finish());
  if (header === undefined) throw bad('it has no header');
  const { ordinal, recordHash, stateHash } = header;
  if (state.ordinal === ordinal && state.recordHash === recordHash && state.stateHash === stateHash)
    return { header, state };
  throw bad(`its state stands at ${state.ordinal} and its header says ${ordinal}, or their hashes differ`);
}

function sound<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isWeftError(error, 'bad-snapshot')) throw bad(error.message);
    throw error;
  }
}

function bad(why: string): WeftError {
  return badFile(exportKind, why);
}
