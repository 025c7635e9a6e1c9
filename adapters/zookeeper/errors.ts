/**
 * What a failed exchange with ZooKeeper means. One table; what it does not list may have been carried out.
 *
 * The question behind every row is whether the request may have been carried out. What ZooKeeper answers with a code was
 * refused as a whole, also a multi. A lost connection says nothing about the requests that were under way, and is not the
 * end of the session either; the adapter hangs nothing on its sessions, so that it needs no such difference.
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
  /** Sent; the connection ended before the answer. */
  | 'lost'
  /** Answered with an error code. */
  | 'refused';

/** The codes that the adapter acts on (ZooKeeper, `KeeperException.Code`). */
export const zkCode = {
  ok: 0,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidAcl: -114,
  authFailed: -115,
  sessionMoved: -118,
  notReadOnly: -119,
  quotaExceeded: -125,
  throttled: -127,
} as const;

/** The failure of one try of one call, as the connection saw it. */
export class ZookeeperCallError extends Error {
  override readonly name = 'ZookeeperCallError';
  readonly stage: CallStage;
  /** ZooKeeper's error code; present at stage `refused`, and where the server refused the credentials. */
  readonly code: number | undefined;

  constructor(stage: CallStage, message: string, code?: number) {
    super(oneLine(message));
    this.stage = stage;
    this.code = code;
  }
}

const verdicts: ReadonlyMap<number, Verdict> = new Map<number, Verdict>([
  [zkCode.noAuth, 'store-auth'],
  [zkCode.authFailed, 'store-auth'],
  // Nodes are made with the ACL of their creator: who has not authenticated cannot.
  [zkCode.invalidAcl, 'store-auth'],
  [zkCode.quotaExceeded, 'store-full'],
  // Refused at the door: the session is not this server's, or the server takes no writes now.
  [zkCode.sessionExpired, 'store-unreachable'],
  [zkCode.sessionMoved, 'store-unreachable'],
  [zkCode.notReadOnly, 'store-unreachable'],
  [zkCode.throttled, 'store-unreachable'],
]);

/** For writes. Codes other than `outcome-unknown` say that nothing happened. */
export function judge(error: ZookeeperCallError): Verdict {
  const known = error.code === undefined ? undefined : verdicts.get(error.code);
  if (known !== undefined) return known;
  return error.stage === 'not-sent' ? 'store-unreachable' : 'outcome-unknown';
}

const advice: Readonly<Record<Verdict, string>> = {
  'store-unreachable': 'check that ZooKeeper runs, that it has a leader, and that the URL is right',
  'outcome-unknown': 'it may be carried out later; ask for its outcome before repeating it under another id',
  'store-full': "raise the quota of the log's path (setquota), or delete what else lies below it",
  'store-auth': "check the user, the password file and the ACLs of the log's nodes (getAcl)",
  'too-large': 'send fewer records at once',
};

/** What whoever called is told; `what` is as in "Cannot … URL". */
export const { readError, writeError } = tellCallErrors(judge, advice);

/**
 * What comes behind the first transaction of several: when it is broken off, something was carried out, though not all,
 * also where the rest was never sent.
 *
 * @throws ZookeeperCallError that never says that nothing happened
 */
export async function completed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ZookeeperCallError) || error.stage !== 'not-sent') throw error;
    throw new ZookeeperCallError('lost', error.message, error.code);
  }
}

/** What any thrown value is as a failed call; defects pass through untouched. */
export function asCallError(error: unknown): ZookeeperCallError {
  if (error instanceof ZookeeperCallError) return error;
  throw error;
}
