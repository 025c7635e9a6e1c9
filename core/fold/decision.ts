/** What a rule is given, and what it answers when it does not refuse. */
import type { Stamp } from '../model/stamp.ts';
import type { Change } from './change.ts';
import type { Draft } from './draft.ts';
import type { Subject } from './outcome.ts';

/** The state being written, and the provenance of what is written to it. */
export interface Context {
  readonly draft: Draft;
  readonly stamp: Stamp;
}

export interface Decision {
  readonly subject: Subject;
  /** In the order in which they took place. */
  readonly changes: readonly Change[];
}
