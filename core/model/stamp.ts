/** Provenance: which record made or last changed an object. Answers "who gave this address to whom, and when". */
export interface Stamp {
  /** Dense count of the record in the fold, from 1. */
  readonly ordinal: number;
  /** Name of the host that wrote the record. */
  readonly host: string;
  /** Who asked that host, as its API saw them, e.g. `uid:0`. */
  readonly by: string;
  /** The author's wall clock, milliseconds since 1970 UTC. For people; nothing is decided by it. */
  readonly at: number;
}
