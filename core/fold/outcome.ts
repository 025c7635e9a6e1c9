/** What the fold decided on a record: the same on every host, for ever. */
import type { ErrorCode } from '../errors.ts';
import type { RecordKind } from '../log/record.ts';
import type { EndpointId, LogId, NetworkId, RecordId } from '../model/ids.ts';

export type Outcome = Accepted | Rejected;

export interface Accepted {
  readonly accepted: true;
  readonly ordinal: number;
  readonly record: RecordId;
  readonly kind: RecordKind;
  /** The object that the record made or removed, by the id that users know it by. */
  readonly subject: Subject;
}

export interface Rejected {
  readonly accepted: false;
  readonly ordinal: number;
  /** Absent where the bytes were no record. */
  readonly record?: RecordId;
  readonly kind?: RecordKind;
  readonly code: ErrorCode;
  /** One line: what, why, what to do. Part of the decision: deterministic, and the same everywhere. */
  readonly message: string;
}

export type Subject =
  | { readonly type: 'host'; readonly name: string; readonly epoch: number }
  | { readonly type: 'network'; readonly id: NetworkId }
  | { readonly type: 'endpoint'; readonly id: EndpointId }
  /** One that begins, or to which the cluster moves. */
  | { readonly type: 'log'; readonly id: LogId };

/** A refusal inside the fold, before it is stamped with the record's ordinal. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}
