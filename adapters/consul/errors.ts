/**
 * What a failed exchange with Consul means. One table; the first row that fits decides.
 *
 * The question behind every row is whether the request may have been carried out. Only what Consul refuses before it
 * proposes a change is definite; so is a call for which no connection existed. Anything else, be it a timeout, a reset,
 * status 500 or words that we do not know, may have happened or may happen later. A transaction that was refused because
 * a comparison failed is no error: it is an answer (`transactions.ts`).
 */
import type { ErrorCode } from '../../core/errors.ts';
import { WeftError } from '../../core/errors.ts';
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
    super(oneLine(message));
    this.stage = stage;
    this.status = status;
  }
}

export interface Verdict {
  readonly code: Extract<ErrorCode, 'store-unreachable' | 'outcome-unknown' | 'store-auth' | 'too-large'>;
}

interface Row {
  /** The first and the last status that the row is for. */
  readonly status?: readonly [number, number];
  readonly text?: RegExp;
  readonly verdict: Verdict;
}

const rows: readonly Row[] = [
  { text: /ACL not found|Permission denied/i, verdict: { code: 'store-auth' } },
  { status: [401, 401], verdict: { code: 'store-auth' } },
  { status: [403, 403], verdict: { code: 'store-auth' } },
  { status: [413, 413], verdict: { code: 'too-large' } },
  // "No leader errors are always safe to retry since no state could have been changed" (Consul, `agent/consul/rpc.go`).
  { text: /No cluster leader/, verdict: { code: 'store-unreachable' } },
  // Redirected or refused at the door: too many requests, a plain request to a TLS port, or no Consul at all.
  { status: [300, 499], verdict: { code: 'store-unreachable' } },
];

const unknown: Verdict = { code: 'outcome-unknown' };

/** For writes. Codes other than `outcome-unknown` say that nothing happened. */
export function judge(error: ConsulCallError): Verdict {
  if (error.stage === 'not-sent') return { code: 'store-unreachable' };
  const { status } = error;
  if (error.stage !== 'status' || status === undefined) return unknown;
  const row = rows.find(
    (one) =>
      (one.status === undefined || (one.status[0] <= status && status <= one.status[1])) &&
      (one.text === undefined || one.text.test(error.message)),
  );
  return row?.verdict ?? unknown;
}

/** What the caller of a write is told. */
export function writeError(error: ConsulCallError, what: string, url: string): WeftError {
  return toWeftError(judge(error).code, error, what, url);
}

/** What the caller of a read is told: a read that failed has no outcome that could be unknown. */
export function readError(error: ConsulCallError, what: string, url: string): WeftError {
  const { code } = judge(error);
  return toWeftError(code === 'outcome-unknown' ? 'store-unreachable' : code, error, what, url);
}

const advice: Readonly<Record<Verdict['code'], string>> = {
  'store-unreachable': 'check that Consul runs, that it has a leader, and that the URL is right',
  'outcome-unknown': 'it may be carried out later; ask for its outcome before repeating it under another id',
  'store-auth': 'check the token file and the policy of that token',
  'too-large': "raise Consul's limits.txn_max_req_len to its default of 512 KiB",
};

function toWeftError(code: Verdict['code'], error: ConsulCallError, what: string, url: string): WeftError {
  return new WeftError(code, `Cannot ${what} ${url}: ${error.message}; ${advice[code]}.`, { cause: error });
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, reasonLengthMax);
}

/** What any thrown value is as a failed call; defects pass through untouched. */
export function asCallError(error: unknown): ConsulCallError {
  if (error instanceof ConsulCallError) return error;
  throw error;
}
