/**
 * Which records were seen lately, so that a repetition is known for one.
 *
 * Ids are kept by stretches of W ordinals: those of the present stretch, which grow, and those of the one before, which
 * go all at once when the next begins. So between W and 2W of them are there, none has to be taken out one by one, and
 * `seenAt` answers for exactly the last W.
 */
import { SetHash } from '../lib/set-hash.ts';
import { SortedTable, type Table } from '../lib/table.ts';
import { dedupeWindowOrdinals } from '../limits.ts';
import type { RecordId } from '../model/ids.ts';

export interface RecordMemory {
  /** Ordinals by record id. */
  readonly present: Table<RecordId, number>;
  readonly previous: Table<RecordId, number>;
  /** Set hashes of the two. */
  readonly presentHash: string;
  readonly previousHash: string;
}

export const emptyMemory: RecordMemory = {
  present: SortedTable.empty(),
  previous: SortedTable.empty(),
  presentHash: SetHash.empty().hex,
  previousHash: SetHash.empty().hex,
};

/** The ordinal of the record of that id, if it is one of the W before `ordinal`. */
export function seenAt(memory: RecordMemory, id: RecordId, ordinal: number): number | undefined {
  const seen = memory.present.get(id) ?? memory.previous.get(id);
  return seen !== undefined && seen >= ordinal - dedupeWindowOrdinals ? seen : undefined;
}

/**
 * Whether what is remembered at an ordinal is what came of an earlier memory: every record that both can still know has the
 * same ordinal in both. Ids are random, so two histories that part share none beyond that point.
 *
 * @param earlier of a state whose ordinal is not above `ordinal`
 */
export function goesOnFrom(memory: RecordMemory, ordinal: number, earlier: RecordMemory): boolean {
  const { present, previous } = memory;
  const since = rememberedSince(ordinal);
  for (const stretch of [earlier.previous, earlier.present]) {
    for (const [id, at] of stretch.entries())
      if (at >= since && present.get(id) !== at && previous.get(id) !== at) return false;
  }
  return true;
}

/** The first ordinal of the two stretches that the memory after a record has. */
function rememberedSince(ordinal: number): number {
  return ordinal - ((ordinal - 1) % dedupeWindowOrdinals) - dedupeWindowOrdinals;
}

/** The memory as the record of that ordinal finds it: when a stretch begins, the last but one is forgotten. */
export function memoryFor(memory: RecordMemory, ordinal: number): RecordMemory {
  if ((ordinal - 1) % dedupeWindowOrdinals !== 0) return memory;
  return { ...emptyMemory, previous: memory.present, previousHash: memory.presentHash };
}

/** With more records, which have not been seen in the present stretch. @param members set hash of them alone */
export function withRecords(
  memory: RecordMemory,
  records: readonly (readonly [RecordId, number])[],
  members: SetHash,
): RecordMemory {
  const present = SortedTable.forkOf(memory.present);
  for (const [id, ordinal] of records) present.set(id, ordinal);
  const hash = SetHash.fromHex(memory.presentHash);
  hash.addAll(members);
  return { ...memory, present, presentHash: hash.hex };
}
