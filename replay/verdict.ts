/** What came of a replay: whether this build makes of the log what the daemon made of it, and whether the kernel had it. */
import type { Difference } from './difference.ts';
import type { HashDifference } from './hash-watch.ts';

export type HashVerdict =
  /** At so many recorded ordinals, the last one of the bundle among them unless the replay was told to end before. */
  | { readonly result: 'same'; readonly compared: number }
  | ({ readonly result: 'differs' } & HashDifference)
  | { readonly result: 'not-compared'; readonly reason: string };

export type KernelVerdict =
  | { readonly result: 'same'; readonly objects: number }
  | { readonly result: 'differs'; readonly differences: readonly KernelDifference[] }
  | { readonly result: 'not-compared'; readonly reason: string };

export interface KernelDifference extends Difference {
  /** Why the daemon could not make it so, where it said. */
  readonly failing?: string;
}

export interface Verdict {
  readonly type: 'verdict';
  /** Where the replay ended. */
  readonly ordinal: number;
  readonly recordHash: string;
  readonly stateHash: string;
  readonly hashes: HashVerdict;
  /** The recorded kernel objects against those that the replay wants. */
  readonly kernel: KernelVerdict;
  /** The kernel in memory against the same: anything here is a defect of the planner. */
  readonly planner: readonly Difference[];
  /** What a reader should know before trusting the rest, a line each. */
  readonly notes: readonly string[];
  /** Nothing differs, and nothing was left uncompared but what the caller left out. */
  readonly agrees: boolean;
}
