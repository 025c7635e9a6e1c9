/**
 * Chains of other firewalls that drop what weft lets pass. A verdict `accept` ends the chain that says it and no other:
 * each base chain of the hook decides for itself, and one that drops is enough.
 */

/** A base chain of the hook `forward` that drops whatever no rule of it accepts before. */
export interface DroppingChain {
  readonly family: ForwardingFamily;
  readonly table: string;
  readonly chain: string;
  /** By its policy, or by a rule that asks for nothing. */
  readonly by: 'policy' | 'rule';
  /** The chain in which that is decided, where a rule that asks for nothing jumps or goes there: weft puts no rule before that. */
  readonly via?: string;
  /** Whether weft's own rule is in it, by which it accepts what weft lets pass. */
  readonly accepts: boolean;
}

/** Families of nftables whose chains see what is routed. */
export type ForwardingFamily = 'ip' | 'ip6' | 'inet';
