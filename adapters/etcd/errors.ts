/**
 * What a failed exchange with etcd means. One table; the first row that fits decides.
 *
 * The question behind every row is whether the request may have been carried out. Only what etcd refuses before it
 * proposes a change, or refuses while applying it, is definite; so is a call for which no connection existed. Anything
 * else, be it a timeout, a reset, a lost leader or words that we do not know, may have happened or may happen later.
 */
import type { ErrorCode } from '../../core/errors.ts';
import { WeftError } from '../../core/errors.ts';

/** How far a call had come when it failed. */
export type CallStage =
  /** Nothing was sent. */
  | 'not-sent'
  /** Sent; our own deadline passed. */
  | 'timed-out'
  /** Sent; the caller or `close` gave up. */
  | 'cancelled'
  /** Sent; ended with a gRPC status. */
  | 'status';

/** The failure of one try of one call, as the connection saw it. */
export class EtcdCallError extends Error {
  override readonly name = 'EtcdCallError';
  readonly stage: CallStage;
  /** gRPC status code (https://grpc.github.io/grpc/core/md_doc_statuscodes.html); present at stage `status`. */
  readonly status: number | undefined;

  constructor(stage: CallStage, message: string, status?: number) {
    super(oneLine(message));
    this.stage = stage;
    this.status = status;
  }
}

export interface Verdict {
  readonly code: Extract<
    ErrorCode,
    'store-unreachable' | 'outcome-unknown' | 'store-full' | 'store-auth' | 'too-large'
  >;
  /** The token is no longer good: worth one try with a new one. */
  readonly renewToken?: boolean;
}

interface Row {
  readonly status?: number;
  readonly text?: RegExp;
  readonly verdict: Verdict;
}

const unavailable = 14;

/** Texts are etcd's (`api/v3rpc/rpctypes/error.go`) and grpc-js's (`load-balancer-pick-first.ts`, `internal-channel.ts`). */
const rows: readonly Row[] = [
  {
    status: unavailable,
    text: /^No connection established|^Name resolution failed|Channel closed before call started/,
    verdict: { code: 'store-unreachable' },
  },
  { text: /database space exceeded/, verdict: { code: 'store-full' } },
  {
    text: /invalid auth token|revision of auth store is old/,
    verdict: { code: 'store-auth', renewToken: true },
  },
  {
    text: /permission denied|authentication failed|user name (is empty|not found)/,
    verdict: { code: 'store-auth' },
  },
  { status: 16, verdict: { code: 'store-auth', renewToken: true } },
  { text: /request is too large|larger than max/, verdict: { code: 'too-large' } },
  // Refused at the door: etcd has fallen too far behind in applying what it has.
  { text: /too many requests/, verdict: { code: 'store-unreachable' } },
  { text: /not supported for learner|etcdserver: not capable/, verdict: { code: 'store-unreachable' } },
  // UNIMPLEMENTED: whatever answers there is not etcd's v3 API.
  { status: 12, verdict: { code: 'store-unreachable' } },
];

const unknown: Verdict = { code: 'outcome-unknown' };

/** For writes. Codes other than `outcome-unknown` say that nothing happened (of `store-full`, see the event log). */
export function judge(error: EtcdCallError): Verdict {
  if (error.stage === 'not-sent') return { code: 'store-unreachable' };
  if (error.stage !== 'status') return unknown;
  const row = rows.find(
    (one) =>
      (one.status === undefined || one.status === error.status) &&
      (one.text === undefined || one.text.test(error.message)),
  );
  return row?.verdict ?? unknown;
}

/** What the caller of a write is told. */
export function writeError(error: EtcdCallError, what: string, url: string): WeftError {
  return toWeftError(judge(error).code, error, what, url);
}

/** What the caller of a read is told: a read that failed has no outcome that could be unknown. */
export function readError(error: EtcdCallError, what: string, url: string): WeftError {
  const { code } = judge(error);
  return toWeftError(code === 'outcome-unknown' ? 'store-unreachable' : code, error, what, url);
}

const advice: Readonly<Record<Verdict['code'], string>> = {
  'store-unreachable': 'check that etcd runs, that it has a leader, and that the URL is right',
  'outcome-unknown': 'it may be carried out later; ask for its outcome before repeating it under another id',
  'store-full': 'compact and defragment etcd, raise its quota, then disarm its NOSPACE alarm',
  'store-auth': 'check the user, the password file and the role of that user',
  'too-large': "raise etcd's --max-request-bytes to its default of 1.5 MiB",
};

function toWeftError(code: Verdict['code'], error: EtcdCallError, what: string, url: string): WeftError {
  return new WeftError(code, `Cannot ${what} ${url}: ${error.message}; ${advice[code]}.`, { cause: error });
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** What any thrown value is as a failed call; defects pass through untouched. */
export function asCallError(error: unknown): EtcdCallError {
  if (error instanceof EtcdCallError) return error;
  throw error;
}
