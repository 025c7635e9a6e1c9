/** Lists are of the local fold: where the store is not reachable, people are told how old the answer may be. */
import type { Context } from './context.ts';

export function warnIfStale(
  context: Context,
  list: { readonly ordinal: number; readonly storeReachable: boolean },
): void {
  if (list.storeReachable) return;
  context.warn(
    `the store is not reachable: this is the state at ordinal ${list.ordinal}; 'weft status' says more`,
  );
}
