/**
 * PORT: a fault, as data. What it does to a store is written once, for all the stores that it can happen to; `trial.ts` has
 * what it is given, `faults/list.ts` all of them.
 */
import type { Judgement } from './judge.ts';
import type { ServerOptions, StoreName } from './stores.ts';
import type { Trial } from './trial.ts';

export interface Fault {
  /** Of `--fault`, and of the table. */
  readonly name: string;
  /** What happens, in half a sentence, for the table's legend. */
  readonly what: string;
  readonly stores: readonly StoreName[];
  /** What the servers are told when they are started for it; the folder is for files that they read. */
  readonly servers?: (folder: string) => ServerOptions | Promise<ServerOptions>;
  /** Every round has servers of its own: what it does to them cannot be undone. */
  readonly freshServers?: true;
  /** All rounds run at the same time, because one takes long and leaves the machine idle. */
  readonly roundsAtOnce?: true;
  /** Servers must be able to be cut off from each other. Implies root. */
  readonly needsNetwork?: true;
  readonly needsRoot?: true;
  /** Longer than usual, milliseconds. */
  readonly limitMs?: number;
  /**
   * One round. What it finds wrong beside its judgement, or that the fault was not felt, it throws.
   *
   * A fault without a load has no judgement: that it does not throw is the result.
   */
  run(trial: Trial): Promise<Judgement | undefined>;
}
