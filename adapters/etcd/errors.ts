/**
 * What a failed exchange with etcd means. One table; the first row that fits decides.
 *
 * The question behind every row is whether the request may have been carried out. Only what etcd refuses before it
 * proposes a change, or refuses while applying it, is definite; so is a call for which no connection existed. Anything
 * else, be it a timeout, a reset, a lost leader or words that we do not know, may have happened or may happen later.
 */
import { oneLine, tellCallErrors, type Verdict } from '../call-errors.ts';

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

interface Row {
  readonly status?: number;
  readonly text?: RegExp;
  readonly verdict: Verdict;
  /** The token is no longer good: worth one try with a new one. */
  readonly renewToken?: true;
}

const unavailable = 14;

/** Texts are etcd's (`api/v3rpc/rpctypes/error.go`) and grpc-js's (`load-balancer-pick-first.ts`, `internal-channel.ts`). */
const rows: readonly Row[] = [
  {
    status: unavailable,
    text: /^No connection established|^Name resolution failed|Channel closed before call started/,
    verdict: 'store-unreachable',
  },
  { text: /database space exceeded/, verdict: 'store-full' },
  {
    text: /invalid auth token|revision of auth store is old/,
    verdict: 'store-auth',
    renewToken: true,
  },
  {
    text: /permission denied|authentication failed|user name (is empty|not found)/,
    verdict: 'store-auth',
  },
  { status: 16, verdict: 'store-auth', renewToken: true },
  { text: /request is too large|larger than max/, verdict: 'too-large' },
  // Refused at the door: etcd has fallen too far behind in applying what it has.
  { text: /too many requests/, verdict: 'store-unreachable' },
  { text: /not supported for learner|etcdserver: not capable/, verdict: 'store-unreachable' },
  // UNIMPLEMENTED: whatever answers there is not etcd's v3 API.
  { status: 12, verdict: 'store-unreachable' },
];

/** For writes. Codes other than `outcome-unknown` say that nothing happened (of `store-full`, see the event log). */
export function judge(error: EtcdCallError): Verdict {
  if (error.stage === 'not-sent') return 'store-unreachable';
  if (error.stage !== 'status') return 'outcome-unknown';
  return rowOf(error)?.verdict ?? 'outcome-unknown';
}

/** Whether a new token may help. */
export function wantsNewToken(error: EtcdCallError): boolean {
  return error.stage === 'status' && rowOf(error)?.renewToken === true;
}

function rowOf({ status, message }: EtcdCallError): Row | undefined {
  return rows.find(
    (row) =>
      (row.status === undefined || row.status === status) &&
      (row.text === undefined || row.text.test(message)),
  );
}

const advice: Readonly<Record<Verdict, string>> = {
  'store-unreachable': 'check that etcd runs, that it has a leader, and that the URL is right',
  'outcome-unknown': 'it may be carried out later; ask for its outcome before repeating it under another id',
  'store-full': 'compact and defragment etcd, raise its quota, then disarm its NOSPACE alarm',
  'store-auth': 'check the user, the password file and the role of that user',
  'too-large': "raise etcd's --max-request-bytes to its default of 1.5 MiB",
};

/** What whoever called is told; `what` is as in "Cannot … URL". */
export const { readError, writeError } = tellCallErrors(judge, advice);

/** What any thrown value is as a failed call; defects pass through untouched. */
export function asCallError(error: unknown): EtcdCallError {
  if (error instanceof EtcdCallError) return error;
  throw error;
}
