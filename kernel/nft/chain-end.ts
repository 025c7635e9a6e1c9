/**
 * What becomes of a packet that no condition of a chain holds for: where such a packet leaves it, also by way of chains that
 * it jumps or goes to.
 *
 * Only rules that ask for nothing are followed. What a chain drops under a condition, or in a chain that it enters under one, its
 * owner means for certain packets: Docker's `DOCKER-ISOLATION-STAGE-1` enters the second stage for packets from its own bridges
 * alone, and there alone they are dropped.
 */

/** What a rule without conditions does; undefined for every other rule. */
export type Step =
  | { readonly does: 'drop' | 'accept' | 'return' }
  | { readonly does: 'jump' | 'goto'; readonly chain: string }
  | undefined;

export interface ChainEnd {
  /** Index of the rule behind which no packet comes; absent where packets come to the chain's end. */
  readonly at?: number;
  /** What becomes of the packet; absent where the chain does not decide: of a base chain its policy does. */
  readonly verdict?: 'drop' | 'accept';
  /** The chain that the rule leads to; absent where the rule says the verdict itself. */
  readonly via?: string;
}

/** As many jumps as nftables follows: NFT_JUMP_STACK_SIZE (`net/netfilter/nf_tables.h`). */
const depthMax = 16;

/** @param stepsOf rules of another chain of the same table, asked for once each; none where there is no such chain */
export function endOfChain(steps: readonly Step[], stepsOf: (chain: string) => readonly Step[]): ChainEnd {
  const known = new Map<string, ChainEnd>();
  const follow = (chain: string, depth: number): ChainEnd => {
    const before = known.get(chain);
    if (before !== undefined) return before;
    if (depth > depthMax) return {};
    // A chain that leads to itself, which nftables refuses, decides nothing.
    known.set(chain, {});
    const end = walk(stepsOf(chain), depth);
    known.set(chain, end);
    return end;
  };
  const walk = (rules: readonly Step[], depth: number): ChainEnd => {
    for (const [at, step] of rules.entries()) {
      if (step === undefined) continue;
      if (!('chain' in step)) return { at, ...(step.does === 'return' ? {} : { verdict: step.does }) };
      const { verdict } = follow(step.chain, depth + 1);
      // Behind `goto` no packet comes back.
      if (verdict !== undefined || step.does === 'goto')
        return { at, via: step.chain, ...(verdict === undefined ? {} : { verdict }) };
    }
    return {};
  };
  return walk(steps, 0);
}
