/**
 * Positions of the file log: the entry's sequence and its frame's checksum, `42-9f3a2b1c`. By the chain of checksums a
 * position stands for all entries up to it, so a reader that resumes at one finds out whether it is still in the log
 * that it left, also where a restored backup has grown beyond it.
 */
import { genesis, type Position } from '../../core/log/event-log.ts';

export interface Place {
  readonly sequence: number;
  readonly checksum: number;
}

export function positionOf({ sequence, checksum }: Place): Position {
  return sequence === 0 ? genesis : (`${sequence}-${checksum.toString(16).padStart(8, '0')}` as Position);
}

/** Undefined for a text that is no position of this kind of log. Genesis is sequence 0. */
export function placeOf(position: Position): Place | undefined {
  if (position === genesis) return { sequence: 0, checksum: 0 };
  const [, sequence, checksum] = /^([1-9][0-9]{0,15})-([0-9a-f]{8})$/.exec(position) ?? [];
  if (sequence === undefined || checksum === undefined) return undefined;
  return { sequence: Number(sequence), checksum: Number.parseInt(checksum, 16) };
}
