/** Many lines at once: how a state is rebuilt from the log. */

import { apply } from './apply.ts';
import type { Change } from './change.ts';
import type { Outcome } from './outcome.ts';
import type { State } from './state.ts';

export interface Replay {
  readonly state: State;
  readonly outcomes: readonly Outcome[];
  readonly changes: readonly Change[];
  /** Set where the fold stopped before a record of a newer schema. */
  readonly haltedAtVersion?: number;
}

/** Applies lines in order, up to the first that halts the fold. */
export function replay(start: State, lines: Iterable<Uint8Array>): Replay {
  let state = start;
  const outcomes: Outcome[] = [];
  const changes: Change[] = [];
  for (const line of lines) {
    const applied = apply(state, line);
    if (applied.halted) return { state, outcomes, changes, haltedAtVersion: applied.version };
    state = applied.state;
    outcomes.push(applied.outcome);
    changes.push(...applied.changes);
  }
  return { state, outcomes, changes };
}
