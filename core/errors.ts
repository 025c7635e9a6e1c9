/**
 * Every failure that a user or a caller can meet has a stable code; this file is the list.
 *
 * A code names the condition, never the place. Its message follows one grammar, one line: what was refused or failed,
 * why, and what to do about it. `docs/reference/errors.md` is generated from this table.
 */

/** What callers outside need to know of a code. `status` is the HTTP status of the API's problem document. */
export interface ErrorTraits {
  readonly status: 400 | 403 | 404 | 409 | 410 | 413 | 422 | 500 | 503 | 504 | 507;
  /** True where the same request may succeed later with nothing changed by the caller. */
  readonly retryable: boolean;
  /** One sentence for the reference page. */
  readonly summary: string;
}

const table = {
  // Requests that are wrong in themselves.
  malformed: {
    status: 400,
    retryable: false,
    summary: 'The request or record does not have the shape of its kind.',
  },
  'bad-name': {
    status: 400,
    retryable: false,
    summary: 'A name has characters or a length that names may not have.',
  },
  'bad-subnet': {
    status: 400,
    retryable: false,
    summary: 'A subnet is no CIDR prefix, or has bits set in its host part.',
  },
  'bad-gateway': {
    status: 400,
    retryable: false,
    summary: 'A gateway lies outside its subnet or is not usable in it.',
  },
  'bad-range': { status: 400, retryable: false, summary: 'An address range is no prefix inside its subnet.' },
  'bad-aux-address': {
    status: 400,
    retryable: false,
    summary: 'An auxiliary address lies outside its subnet or is named twice.',
  },
  'bad-address': {
    status: 400,
    retryable: false,
    summary: 'An address is malformed or in no subnet of the network.',
  },
  'bad-mac': {
    status: 400,
    retryable: false,
    summary: 'A MAC address is malformed, a group address or zero.',
  },
  'bad-port': {
    status: 400,
    retryable: false,
    summary: 'A port to publish is malformed, or the network or the endpoint cannot have it.',
  },
  'bad-route': {
    status: 400,
    retryable: false,
    summary: 'A static route is malformed, or the endpoint cannot have it.',
  },
  'bad-option': { status: 400, retryable: false, summary: 'An option has a value that it cannot have.' },
  'bad-label': {
    status: 400,
    retryable: false,
    summary: 'A label has no key, or key or value are too long.',
  },
  'bad-sandbox': {
    status: 400,
    retryable: false,
    summary: 'A sandbox reference is malformed or names no network namespace.',
  },
  'bad-store-url': {
    status: 400,
    retryable: false,
    summary: 'A store URL is malformed or names an unknown kind of store.',
  },
  'bad-configuration': {
    status: 400,
    retryable: false,
    summary: 'The daemon cannot run with the options that it was given.',
  },
  'unknown-option': {
    status: 400,
    retryable: false,
    summary: 'A network option is not one that the driver knows.',
  },
  'unknown-driver': { status: 400, retryable: false, summary: 'No driver of that name exists.' },
  ambiguous: { status: 400, retryable: false, summary: 'A reference matches several objects.' },

  // Requests that the present state refuses.
  'name-taken': { status: 409, retryable: false, summary: 'Another live object has that name.' },
  'name-reserved': { status: 403, retryable: false, summary: 'The name belongs to a predefined network.' },
  'predefined-network': {
    status: 403,
    retryable: false,
    summary: 'The network, or the only one of its driver, is predefined: it is neither made nor removed.',
  },
  'sandbox-alone': {
    status: 403,
    retryable: false,
    summary: 'A sandbox on the network host or none is on no other.',
  },
  'pool-overlap': {
    status: 409,
    retryable: false,
    summary: 'The subnet overlaps a different pool of the address space.',
  },
  'bridge-taken': {
    status: 409,
    retryable: false,
    summary: 'Another network has the bridge of that name.',
  },
  'pool-exhausted': { status: 409, retryable: false, summary: 'The pool has no free address.' },
  'pools-exhausted': {
    status: 409,
    retryable: false,
    summary: 'The address space has no free default pool.',
  },
  'parent-taken': {
    status: 409,
    retryable: false,
    summary: "Another network's interfaces are stacked on that link of the hosts.",
  },
  'vnis-exhausted': { status: 409, retryable: false, summary: 'No free VNI is left.' },
  'vni-taken': { status: 409, retryable: false, summary: 'Another live network has that VNI.' },
  'address-taken': {
    status: 409,
    retryable: false,
    summary: 'The address belongs to another endpoint, a gateway or a reservation.',
  },
  'mac-taken': {
    status: 409,
    retryable: false,
    summary: 'Another endpoint of the network has that MAC address.',
  },
  'port-taken': {
    status: 409,
    retryable: false,
    summary: 'A port of the host is published already, or something else listens at it.',
  },
  'ports-exhausted': { status: 409, retryable: false, summary: 'No port of the range is free.' },
  'route-taken': {
    status: 409,
    retryable: false,
    summary: 'The sandbox has a static route to that destination.',
  },
  'interface-taken': { status: 409, retryable: false, summary: 'The sandbox has an interface of that name.' },
  'already-attached': {
    status: 409,
    retryable: false,
    summary: 'The sandbox is attached to the network already.',
  },
  'network-in-use': { status: 403, retryable: false, summary: 'The network has endpoints.' },
  'no-such-network': { status: 404, retryable: false, summary: 'No network has that name or id.' },
  'no-such-endpoint': { status: 404, retryable: false, summary: 'No endpoint has that name or id.' },
  'no-such-host': { status: 404, retryable: false, summary: 'No host has that name.' },
  'no-such-sandbox': { status: 404, retryable: false, summary: 'The sandbox does not exist on this host.' },
  'host-sandbox': {
    status: 403,
    retryable: false,
    summary: "The sandbox is the host's own network namespace, or it is not and should be.",
  },
  'network-off': {
    status: 403,
    retryable: false,
    summary: 'The configuration of this host switches the network off here.',
  },
  'host-taken': {
    status: 409,
    retryable: false,
    summary: 'Another machine has joined under that host name.',
  },
  'address-in-use-by-host': {
    status: 409,
    retryable: false,
    summary: 'Another host advertises that underlay address.',
  },
  'host-down': {
    status: 409,
    retryable: true,
    summary: 'The host is down: it joins again before anything that it asks counts.',
  },
  'host-up': { status: 409, retryable: false, summary: 'The host is not down, so it does not expire.' },
  'host-astray': {
    status: 503,
    retryable: false,
    summary: 'This host had other hashes than the others at one record, and has stopped.',
  },
  'too-many-down': {
    status: 409,
    retryable: false,
    summary: 'More than half of the hosts would be down, which nobody but an operator decides.',
  },
  'host-removed': { status: 409, retryable: false, summary: 'This host was removed from the cluster.' },
  'stale-epoch': {
    status: 409,
    retryable: false,
    summary: 'The record was written in an earlier life of its host.',
  },
  'too-old': {
    status: 409,
    retryable: true,
    summary: 'The record was made too long ago to be told from a repetition.',
  },
  duplicate: { status: 409, retryable: false, summary: 'A record with that id has been applied already.' },
  'attach-failed': {
    status: 500,
    retryable: true,
    summary: 'The kernel refused the objects of the endpoint; nothing was kept.',
  },

  // The log and its store.
  'too-large': {
    status: 413,
    retryable: false,
    summary: 'A record or an entry is over its bound; nothing was sent.',
  },
  'store-unreachable': {
    status: 503,
    retryable: true,
    summary: 'The store cannot be reached; the request was not carried out.',
  },
  'outcome-unknown': {
    status: 504,
    retryable: false,
    summary: 'The store was lost in the middle; the request may be carried out later.',
  },
  'store-full': {
    status: 507,
    retryable: true,
    summary: 'The store has no space left; nothing was written.',
  },
  'store-auth': { status: 503, retryable: false, summary: 'The store refuses the credentials.' },
  'log-exists': {
    status: 409,
    retryable: false,
    summary: 'The store that a log was to be begun in has one already; nothing was changed.',
  },
  'no-log': {
    status: 503,
    retryable: true,
    summary: 'The store holds no log, and none is to be begun there by itself.',
  },
  'log-moved': {
    status: 409,
    retryable: true,
    summary: 'The cluster goes on in another log; the request was not carried out in this one.',
  },
  'host-ahead': {
    status: 409,
    retryable: false,
    summary:
      'A host knows records that are not in what the log goes on from which succeeds the one it followed.',
  },
  'host-behind': {
    status: 409,
    retryable: false,
    summary:
      'Another host was seen further in the log than the one that was to write it back; nothing was changed.',
  },
  'entry-conflict': {
    status: 409,
    retryable: false,
    summary: 'An entry with that id exists with other contents.',
  },
  'log-damaged': {
    status: 500,
    retryable: false,
    summary: 'The log is damaged before its end and is not read further.',
  },
  'log-mismatch': {
    status: 503,
    retryable: false,
    summary: 'The store holds another log than the one this host follows.',
  },
  'log-ahead': {
    status: 503,
    retryable: false,
    summary: 'The position asked for lies beyond the end of the log.',
  },
  'log-trimmed': { status: 410, retryable: false, summary: 'The position asked for has been trimmed.' },
  'bad-snapshot': {
    status: 500,
    retryable: false,
    summary: 'A snapshot of the state is damaged, cut off or not what it claims to be.',
  },
  'log-suspect': {
    status: 503,
    retryable: true,
    summary: 'A write could not be made durable; the log is being verified.',
  },
  'unknown-version': {
    status: 503,
    retryable: false,
    summary: 'The log holds a record that this version does not know; the fold has stopped before it.',
  },

  // Bundles: of the command line alone.
  'bad-bundle': {
    status: 400,
    retryable: false,
    summary: 'The file is no bundle, was cut short, or was altered after it was made.',
  },
  'newer-bundle': {
    status: 400,
    retryable: false,
    summary: 'The bundle was made by a newer weft than the one that shall read it.',
  },
  'bad-export': {
    status: 400,
    retryable: false,
    summary: 'The file is no export of a cluster, was cut short, or was altered after it was made.',
  },
  'newer-export': {
    status: 400,
    retryable: false,
    summary: 'The export was made by a newer weft than the one that shall read it.',
  },
  'file-failed': {
    status: 500,
    retryable: false,
    summary: 'A file cannot be read or written, or is there already.',
  },
  'archive-failed': {
    status: 507,
    retryable: true,
    summary: 'The archive of this host cannot be read or written; folding and the data plane go on.',
  },

  // The daemon.
  'not-ready': { status: 503, retryable: true, summary: 'The daemon has not caught up with the log yet.' },
  'daemon-unreachable': { status: 503, retryable: true, summary: 'No daemon answers on the socket.' },
  'permission-denied': {
    status: 403,
    retryable: false,
    summary: 'The caller may not use the socket, or the daemon lacks a right.',
  },
  'already-running': {
    status: 409,
    retryable: false,
    summary: 'Another daemon uses the same directory, socket or namespace prefix.',
  },
  'not-found': { status: 404, retryable: false, summary: 'The API has no such resource.' },
  kernel: { status: 500, retryable: true, summary: 'The kernel refused an operation.' },
  closed: { status: 503, retryable: true, summary: 'The component is shutting down.' },
  internal: { status: 500, retryable: false, summary: 'A defect in weft.' },
} as const satisfies Record<string, ErrorTraits>;

/** A stable code: part of the API, of the log's outcomes and of the exit message of the CLI. */
export type ErrorCode = keyof typeof table;

export const errorTraits: Readonly<Record<ErrorCode, ErrorTraits>> = table;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(table, text);
}

export interface WeftErrorOptions {
  readonly cause?: unknown;
  /** Values that a program may want beside the message; never secrets. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** The one error class of weft. Callers tell conditions apart by `code`, never by message or class. */
export class WeftError extends Error {
  override readonly name = 'WeftError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(code: ErrorCode, message: string, options: WeftErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** True for a WeftError of that code (or of any code, when none is given). Survives duplicate copies of the package. */
export function isWeftError(error: unknown, code?: ErrorCode): error is WeftError {
  if (!(error instanceof Error) || error.name !== 'WeftError') return false;
  return code === undefined || (error as WeftError).code === code;
}
