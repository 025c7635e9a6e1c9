/**
 * The fold: one line of the log after another, each to a new state, an outcome, and what changed.
 *
 * Pure, synchronous and total: any bytes give a result, the same on every host. A refused record leaves behind its
 * ordinal, the running hash and the memory of its id, and nothing else. Time is bounded by the length of the line and
 * the logarithm of what exists; only removing a host costs as much as the host had endpoints, and refusing to remove a
 * network as much as the network has.
 */
import { unreachable } from '../lib/assert.ts';
import { dedupeWindowOrdinals } from '../limits.ts';
import type { LogRecord } from '../log/record.ts';
import { decodeRecord } from '../log/record-codec.ts';
import type { RecordId } from '../model/ids.ts';
import type { Change } from './change.ts';
import { beginLog, moveLog } from './course.ts';
import type { Context, Decision } from './decision.ts';
import { Draft } from './draft.ts';
import { createEndpoint, removeEndpoint } from './endpoint.ts';
import { judgeAuthor, judgeRepetition } from './envelope.ts';
import { nextRecordHash } from './hash.ts';
import { expireHost, forgetRemovedHost, joinHost, removeHost, takeDown } from './host.ts';
import { createNetwork, removeNetwork } from './network.ts';
import type { Outcome, Refusal } from './outcome.ts';
import { seenAt } from './record-memory.ts';
import { Refused } from './refused.ts';
import type { State } from './state.ts';

export type Applied =
  | {
      readonly halted: false;
      readonly state: State;
      readonly outcome: Outcome;
      readonly changes: readonly Change[];
      /** Absent where the bytes were no record. */
      readonly record?: LogRecord;
    }
  /** The line is a record of a newer schema. The state stays where it was, before it. */
  | { readonly halted: true; readonly version: number };

/** The state after one more line. @param line as `decodeEntry` gives it */
export function apply(state: State, line: Uint8Array): Applied {
  const decoded = decodeRecord(line);
  if (decoded.type === 'unknown-version') return { halted: true, version: decoded.version };
  const ordinal = state.ordinal + 1;
  const recordHash = nextRecordHash(state.recordHash, line);
  if (decoded.type === 'malformed') {
    const { id, reason } = decoded;
    const message = `Record ${ordinal} cannot be read: ${reason}; it was not written by this version of weft`;
    const outcome: Outcome = {
      accepted: false,
      ordinal,
      code: 'malformed',
      message,
      ...(id === undefined ? {} : { record: id }),
    };
    return { halted: false, state: passOver(state, ordinal, recordHash, undefined), outcome, changes: [] };
  }
  return {
    halted: false,
    ...applyRecord(state, decoded.record, ordinal, recordHash),
    record: decoded.record,
  };
}

function applyRecord(
  state: State,
  record: LogRecord,
  ordinal: number,
  recordHash: string,
): { readonly state: State; readonly outcome: Outcome; readonly changes: readonly Change[] } {
  const { id, kind } = record;
  const draft = new Draft(state);
  const decision = refusalOf(() => decide(state, draft, record));
  if ('code' in decision) {
    const { code, message } = decision;
    // The id of a repetition stays with the ordinal that it was first seen at.
    const remembered = seenAt(state.memory, id, ordinal) === undefined ? id : undefined;
    const outcome: Outcome = { accepted: false, ordinal, record: id, kind, code, message };
    return { state: passOver(state, ordinal, recordHash, remembered), outcome, changes: [] };
  }
  const { subject, changes } = decision;
  keepMemory(draft, ordinal, id);
  return {
    state: draft.finish(ordinal, recordHash),
    outcome: { accepted: true, ordinal, record: id, kind, subject },
    changes,
  };
}

/** @throws Refused */
function decide(state: State, draft: Draft, record: LogRecord): Decision {
  const ordinal = state.ordinal + 1;
  judgeRepetition(draft, record, ordinal);
  judgeAuthor(draft, record);
  // The host's own text for its name, so that a state holds it once and not once a record.
  const host = draft.hosts.get(record.host)?.name ?? record.host;
  const context: Context = { draft, stamp: { ordinal, host, by: record.by, at: record.at } };
  switch (record.kind) {
    case 'host-join':
      return joinHost(context, record);
    case 'host-remove':
      return removeHost(context, record);
    case 'host-down':
      return takeDown(context, record);
    case 'host-expire':
      return expireHost(context, record);
    case 'network-create':
      return createNetwork(context, record);
    case 'network-remove':
      return removeNetwork(context, record);
    case 'endpoint-create':
      return createEndpoint(context, record);
    case 'endpoint-remove':
      return removeEndpoint(context, record);
    case 'log-begin':
      return beginLog(context, record, state);
    case 'log-move':
      return moveLog(context, record);
    default:
      return unreachable(record);
  }
}

/** The decision, or why there is none. Anything else that is thrown is a defect and goes on. */
function refusalOf(decision: () => Decision): Decision | Refusal {
  try {
    return decision();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

/** The state with one more ordinal and nothing else but the memory of records. */
function passOver(state: State, ordinal: number, recordHash: string, id: RecordId | undefined): State {
  const draft = new Draft(state);
  keepMemory(draft, ordinal, id);
  return draft.finish(ordinal, recordHash);
}

/** Remembers a record, and forgets what has left the window with it. */
function keepMemory(draft: Draft, ordinal: number, id: RecordId | undefined): void {
  draft.advanceMemory(ordinal);
  if (id !== undefined) draft.rememberRecord(id, ordinal);
  forgetRemovedHost(draft, ordinal - dedupeWindowOrdinals);
}
