/** One attempt to append an entry, and what its answer says of what happened. */
import { type ErrorCode, isWeftError, type WeftError } from '../errors.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { EntryDraft, EventLog } from './event-log.ts';

export type AttemptAnswer =
  | { readonly type: 'acked' }
  /** Nothing happened nor will happen by this attempt, and another may do better. */
  | { readonly type: 'unreached'; readonly error: WeftError }
  /** Nothing happened nor will happen by this attempt, and another would fare no better. */
  | { readonly type: 'refused'; readonly error: WeftError }
  /** It may have happened, or may happen later. */
  | { readonly type: 'unknown'; readonly error: unknown };

/** Codes after which an entry may be in the log all the same. Whatever is no WeftError belongs to them. */
const unknownCodes: ReadonlySet<ErrorCode> = new Set(['outcome-unknown', 'log-suspect', 'internal']);

export interface AttemptBounds {
  /** The attempt is cancelled after this time. */
  readonly limitMs: number;
  /** How long it may then take to answer. */
  readonly cancelMsMax: number;
}

/** Appends once. Never throws, and answers within the bounds whatever the adapter does. */
export async function attemptAppend(
  log: EventLog,
  draft: EntryDraft,
  clock: Clock,
  bounds: AttemptBounds,
  signal: CancelSignal,
): Promise<AttemptAnswer> {
  using attempt = cancelScope(signal);
  using watch = cancelScope();
  const silence = async (): Promise<AttemptAnswer> => {
    await clock.sleep(bounds.limitMs, watch.signal);
    attempt.cancel();
    await clock.sleep(bounds.cancelMsMax, watch.signal);
    return { type: 'unknown', error: new Error('the store adapter did not answer in time') };
  };
  return await Promise.race([answerOf(log, draft, attempt.signal), silence()]);
}

async function answerOf(log: EventLog, draft: EntryDraft, signal: CancelSignal): Promise<AttemptAnswer> {
  try {
    await log.append(draft, signal);
    return { type: 'acked' };
  } catch (error) {
    if (!isWeftError(error) || unknownCodes.has(error.code)) return { type: 'unknown', error };
    return { type: error.code === 'store-unreachable' ? 'unreached' : 'refused', error };
  }
}
