/** Trimming: raise the floor, by which everything behind it is gone for every reader, then remove what it hides. */

import { WeftError } from '../../core/errors.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Random } from '../../core/ports/random.ts';
import { mismatch, refusePosition } from '../log-faults.ts';
import type { StoredKey } from './answers.ts';
import type { Calls } from './calls.ts';
import type { Connection } from './connection.ts';
import { ConsulCallError } from './errors.ts';
import { type Floor, floorOf, isTrimmed, type Raise, raiseOperations } from './floor.ts';
import { segmentMovesMax } from './limits.ts';
import type { OpenSegmentCache } from './open-segment.ts';
import { readFenced } from './reads.ts';
import { markBytes } from './segment.ts';
import { sweep } from './sweep.ts';
import {
  type EntryMark,
  findKey,
  headOf,
  type LogScope,
  openSegmentOf,
  toPosition,
  writtenOnce,
} from './transactions.ts';

const what = 'trim the log at';

export interface Trimming {
  readonly scope: LogScope;
  readonly connection: Connection;
  readonly calls: Calls;
  readonly segments: OpenSegmentCache;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Also where the floor is that far already: it may be that its author has not come to remove what lies behind it.
 *
 * @throws WeftError as `EventLog.trim` does
 */
export async function trim(place: Trimming, upTo: EntryMark, signal: CancelSignal): Promise<void> {
  const floor = await raiseFloor(place, upTo, signal);
  using call = place.calls.begin(signal);
  try {
    await sweep({ ...place, floor }, call.signal);
  } catch (error) {
    if (!(error instanceof ConsulCallError)) throw error;
    // The trim is done; only room is lost, until the next one.
    place.logger.warn('not all that was trimmed could be removed', {
      floor: floor.mark.index,
      reason: error.message,
    });
  }
}

/** Gives the floor as it is afterwards, which may be another host's. */
async function raiseFloor(place: Trimming, upTo: EntryMark, signal: CancelSignal): Promise<Floor> {
  const { scope, segments } = place;
  for (let moves = 0; moves < segmentMovesMax; moves += 1) {
    const found = await look(place, upTo, signal);
    const from = floorOf(scope, findKey(found, scope.keys.floor));
    if (isTrimmed(upTo, from)) {
      assertSame(scope, upTo, from.mark);
      return from;
    }
    assertThere(scope, upTo, found);
    const open = openSegmentOf(scope, findKey(found, scope.keys.open));
    const raised = await raise(place, { from, to: upTo, open, mark: place.random.hex(markBytes) }, signal);
    if (raised === undefined) continue;
    if (open.segment === upTo.segment) segments.learn({ segment: open.segment + 1, index: raised });
    return { mark: upTo, index: raised };
  }
  throw new WeftError(
    'store-unreachable',
    `Cannot trim the log at ${scope.url}: others changed it ${segmentMovesMax} times while this tried; try again.`,
  );
}

async function look(place: Trimming, upTo: EntryMark, signal: CancelSignal): Promise<readonly StoredKey[]> {
  const { scope, connection, calls } = place;
  const { keys } = scope;
  const wanted = [keys.floor, keys.open, keys.head, ...entryKeys(scope, upTo)];
  return await calls.read(what, signal, (live) => readFenced(scope, connection, wanted, live));
}

/** The modify index of the floor; undefined when something has changed since it was looked at. */
async function raise(
  { scope, connection, calls }: Trimming,
  how: Raise,
  signal: CancelSignal,
): Promise<number | undefined> {
  const operations = raiseOperations(scope, how);
  const answer = await calls.write(what, signal, (live) => connection.repeat(operations, live));
  if (answer.type === 'refused') return undefined;
  const floor = findKey(answer.results, scope.keys.floor);
  if (floor === undefined) throw new Error('Broken invariant: Consul left a write out of its answer');
  return floor.modifyIndex;
}

/** None for genesis. */
function entryKeys({ keys }: LogScope, { index, segment, id }: EntryMark): string[] {
  return index === 0 ? [] : [`${keys.segment(segment).folder}${id}`];
}

/** @throws WeftError `log-mismatch` when the floor is at that index and is another entry */
function assertSame(scope: LogScope, upTo: EntryMark, floor: EntryMark): void {
  if (upTo.index === floor.index && toPosition(upTo) !== toPosition(floor))
    throw mismatch(scope, `the entry ${upTo.id} is not at position ${upTo.index}`);
}

/** @throws WeftError `log-ahead`, `log-mismatch`, `log-damaged` */
function assertThere(scope: LogScope, upTo: EntryMark, found: readonly StoredKey[]): void {
  if (headOf(scope, findKey(found, scope.keys.head)).index < upTo.index)
    refusePosition(scope.url, toPosition(upTo));
  const [key] = entryKeys(scope, upTo);
  const entry = key === undefined ? undefined : findKey(found, key);
  if (entry === undefined || writtenOnce(scope, entry) !== upTo.index)
    throw mismatch(scope, `the entry ${upTo.id} is not at position ${upTo.index}`);
}
