/**
 * What a failed exchange with Consul means. One table; the first row that fits decides.
 *
 * The question behind every row is whether the request may have been carried out. Only what Consul refuses before it
 * proposes a change is definite; so is a call for which no connection existed. Anything else, be it a timeout, a reset,
 * status 500 or words that we do not know, may have happened or may happen later. A transaction that was refused because
 * a comparison failed is no error: it is an answer (`transactions.ts`).
 */
import { oneLine, tellCallErrors, type Verdict } from '../call-errors.ts';
import { reasonLengthMax } from './limits.ts';

/** How far a call had come when it failed. */
export type CallStage =
  /** Nothing was sent. */
  | 'not-sent'
  /** Sent; our own deadline passed. */
  | 'timed-out'
  /** Sent; the caller or `close` gave up. */
  | 'cancelled'
  /** Sent; the connection broke, or what came is no answer. */
  | 'broken'
  /** Sent; answered with an HTTP status that says no. */
  | 'status';

/** The failure of one try of one call, as the connection saw it. */
export class ConsulCallError extends Error {
  override readonly name = 'ConsulCallError';
  readonly stage: CallStage;
  /** Present at stage `status`. */
  readonly status: number | undefined;

  constructor(stage: CallStage, message: string, status?: number) {
    super(oneLine(message, reasonLengthMax));
    this.stage = stage;
    this.status = status;
  }
}

interface Row {
  /** The first and the last status that the row is for. */
  readonly status?: readonly [number, number];
  readonly text?: RegExp;
  readonly verdict: Verdict;
}

const rows: readonly Row[] = [
  { text: /ACL not found|Permission denied/i, verdict: 'store-auth' },
  { status: [401, 401], verdict: 'store-auth' },
  { status: [403, 403], verdict: 'store-auth' },
  { status: [413, 413], verdict: 'too-large' },
  // "No leader errors are always safe to retry since no state could have been changed" (Consul, `agent/consul/rpc.go`).
  { text: /No cluster leader/, verdict: 'store-unreachable' },
  // Redirected or refused at the door: too many requests, a plain request to a TLS port, or no Consul at all.
  { status: [300, 499], verdict: 'store-unreachable' },
];

/** For writes. Codes other than `outcome-unknown` say that nothing happened. */
export function judge(error: ConsulCallError): Verdict {
  if (error.stage === 'not-sent') return 'store-unreachable';
  const { status } = error;
  if (error.stage !== 'status' || status === undefined) return 'outcome-unknown';
  const row = rows.find(
    (one) =>
      (one.status === undefined || (one.status[0] <= status && status <= one.status[1])) &&
      (one.text === undefined || one.text.test(error.message)),
  );
  return row?.verdict ?? 'outcome-unknown';
}

const advice: Readonly<Record<Verdict, string>> = {
  'store-unreachable': 'check that Consul runs, that it has a leader, and that the URL is right',
  'outcome-unknown': 'it may be carried out later; ask for its outcome before repeating it under another id',
  // Consul has no such answer.
  'store-full': 'make room in Consul',
  'store-auth': 'check the token file and the policy of that token',
  'too-large': "raise Consul's limits.txn_max_req_len to its default of 512 KiB",
};

/** What whoever called is told; `what` is as in "Cannot … URL". */
export const { readError, writeError } = tellCallErrors(judge, advice);

/** What any thrown value is as a failed call; defects pass through untouched. */
export function asCallError(error: unknown): ConsulCallError {
  if (error instanceof ConsulCallError) return error;
  throw error;
}
