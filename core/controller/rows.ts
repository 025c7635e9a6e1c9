/** What embedding programs watch: the rows of a table of the state, whenever they change. */
import { defer, filter, map, merge, type Observable, startWith } from 'rxjs';
import type { State } from '../fold/state.ts';
import type { Replica } from './replica.ts';

/** At once, and after every step, or leap, that changes objects of that kind. */
export function rowsOf$<T>(
  replica: Replica,
  kind: 'network' | 'endpoint',
  rowsOf: (state: State) => Iterable<T>,
): Observable<readonly T[]> {
  return defer(() =>
    // A leap is told of by its entry alone, whose changes are those of no step.
    merge(replica.entries$, replica.steps$).pipe(
      filter(({ changes }) => changes.some(({ type }) => type.startsWith(kind))),
      map(({ state }) => state),
      startWith(replica.state),
      map((state) => [...rowsOf(state)]),
    ),
  );
}
