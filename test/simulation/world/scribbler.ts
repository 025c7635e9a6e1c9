/**
 * Somebody else's hand in the log: whoever may write to the store can write anything to it. Bytes at random, an entry of
 * ours with one of its bytes changed, the same entry again, a record in the name of a life that has ended or from a time
 * to come, more than any entry may hold. Every host must judge each of them alike, and go on.
 *
 * Joins are left alone, but for those that come too late: whoever writes one takes a host over, and that host then has to
 * halt.
 */

import { entryBytesMax, recordBytesMax } from '../../../core/limits.ts';
import { decodeEntry } from '../../../core/log/entry.ts';
import type { LogEntry } from '../../../core/log/event-log.ts';
import { decodeRecord, encodeRecord } from '../../../core/log/record-codec.ts';
import type { EntryId, RecordId } from '../../../core/model/ids.ts';
import type { Truth } from '../monitors/truth.ts';
import type { LogDoing } from '../scenario/intervention.ts';
import type { StoreModel } from '../store/style.ts';
import type { Chance } from './chance.ts';
import { type LogFault, logFaults } from './plan.ts';
import type { World } from './world.ts';

const garbageBytesMax = 200;
const joinMark = Buffer.from('"host-join"');

export class Scribbler {
  readonly #world: World;
  readonly #store: StoreModel;
  readonly #truth: Truth;
  /** One each for all of a life, so that two of a kind in one moment are two. */
  readonly #bytes: ReadonlyMap<LogFault, Chance>;

  constructor(world: World, store: StoreModel, truth: Truth) {
    this.#world = world;
    this.#store = store;
    this.#truth = truth;
    this.#bytes = new Map(logFaults.map((fault) => [fault, world.chance(`log ${fault} bytes`)]));
  }

  /** All that is left to chance. */
  begin(): void {
    for (const fault of logFaults) this.#soon(fault, this.#world.chance(`log ${fault}`));
  }

  /** Returns whether there was anything to write. */
  perform({ verb }: LogDoing): boolean {
    const chance = this.#bytes.get(verb);
    if (chance === undefined) throw new Error(`Broken invariant: nobody writes ${verb}`);
    const bytes = bytesOf(verb, this.#truth.entries, chance);
    if (bytes === undefined) return false;
    let isDone = false;
    this.#truth.takeForeign(() => {
      isDone = this.#store.scribble(chance.hex(16) as EntryId, bytes);
    });
    if (!isDone) return false;
    this.#world.record('somebody', { verb });
    this.#world.note('somebody', `wrote ${bytes.length} bytes of ${verb} to the log`);
    this.#world.met(`log ${verb}`);
    return true;
  }

  #soon(fault: LogFault, chance: Chance): void {
    const perMinute = this.#world.plan.log[fault];
    if (perMinute === 0) return;
    this.#world.scheduler.first(chance.ms(120_000 / perMinute), () => {
      if (!this.#world.isFaulty) return;
      this.perform({ verb: fault });
      this.#soon(fault, chance);
    });
  }
}

function bytesOf(fault: LogFault, entries: readonly LogEntry[], chance: Chance): Uint8Array | undefined {
  switch (fault) {
    case 'garbage':
      return randomBytes(chance.below(garbageBytesMax), chance);
    case 'oversize':
      return randomBytes(1 + chance.pick([recordBytesMax, recordBytesMax, entryBytesMax]), chance);
    case 'repeated':
      return pickEntry(entries, chance);
    case 'forged':
      return forgedRecord(entries, chance);
    case 'altered': {
      const bytes = pickEntry(entries, chance);
      if (bytes !== undefined && bytes.length > 0) bytes[chance.below(bytes.length)] = chance.below(256);
      return bytes;
    }
  }
}

/**
 * What its author never asked for: of another life of his, made after records that are still to come, or a join from
 * before the life that it would end.
 */
function forgedRecord(entries: readonly LogEntry[], chance: Chance): Uint8Array | undefined {
  if (entries.length === 0) return undefined;
  const [line] = decodeEntry(chance.pick(entries).bytes);
  const decoded = line === undefined ? undefined : decodeRecord(line);
  if (decoded?.type !== 'record') return undefined;
  const { record } = decoded;
  const id = chance.hex(16) as RecordId;
  if (record.kind === 'host-join') return encodeRecord({ ...record, id });
  const isOfOtherLife = chance.happens(0.5);
  const otherEpoch = record.epoch + (record.epoch > 1 && chance.happens(0.7) ? -1 : 1);
  const epoch = isOfOtherLife ? otherEpoch : record.epoch;
  const base = isOfOtherLife ? record.base : record.base + 1_000_000;
  return encodeRecord({ ...record, id, epoch, base });
}

/** A copy of one that holds no join. */
function pickEntry(entries: readonly LogEntry[], chance: Chance): Uint8Array | undefined {
  if (entries.length === 0) return undefined;
  const { bytes } = chance.pick(entries);
  return Buffer.from(bytes).includes(joinMark) ? undefined : Uint8Array.from(bytes);
}

function randomBytes(length: number, chance: Chance): Uint8Array {
  const bytes = new Uint8Array(length);
  // A few draws are enough for many bytes: what counts is that they are no record.
  const pattern = Array.from({ length: Math.min(length, 64) }, () => chance.below(256));
  for (let at = 0; at < length; at += 1) bytes[at] = pattern[at % pattern.length] ?? 0;
  return bytes;
}
