/**
 * What a run of many seeds must have met at least once. A run that has not is vacuous: it would be green however broken
 * the code were.
 */
import { hostFaults, kernelFaults, logFaults, requestFaults } from '../world/plan.ts';

/** Seeds from which on everything must have been met. */
export const coveredSeeds = 500;

/** Of a process's life, beside `halted`, into which only the loss of the store leads. */
const phases = ['opening', 'catching-up', 'joining', 'running'] as const;
const recoveries = [
  'restart',
  'removed host comes back',
  'hosts stay dead',
  'crash within a batch',
  'late request of a dead process lands',
  'unknown request carried out later',
  'request repeated',
  'flood of requests',
  'request cancelled',
  'healed a host that was down',
  'healed a host that was paused',
  'healed a store that was out',
  'store wiped',
  'store rolled-back',
  'store newer-record',
  'phase liveness',
  'phase audit',
  'phase ending',
  'success network-create',
  'success network-remove',
  'success endpoint-create',
  'success endpoint-remove',
  'success host-remove',
];
const answers = [
  'outcome-unknown',
  'store-unreachable',
  'store-full',
  'attach-failed',
  'closed',
  'not-ready',
  'host-removed',
  'pool-exhausted',
  'pool-overlap',
  'name-taken',
  'network-in-use',
  'already-attached',
  'address-taken',
  'no-such-network',
  'no-such-endpoint',
  'no-such-sandbox',
];
const invariants =
  'I1,I2,I3,I4,I5,I6,I7,I7 found out,I8,I9,I9 at rest,I10,I12,I13,I13-I21,I14,I18,I19,I22,I23,I24,I27,I27 in the kernel,' +
  'I27 out of the kernel,I29,I29 promptly,I30 promptly,I31,I31 at rest,I31 in order,I32,I33,I33 promptly,I34,I36,I39,' +
  'I43,I43 frozen';

export const sometimes: readonly string[] = [
  ...requestFaults.map((fault) => `met:request ${fault}`),
  ...requestFaults
    .filter((fault) => fault !== 'stale-read' && fault !== 'full')
    .flatMap((fault) => phases.map((phase) => `met:request ${fault} while ${phase}`)),
  ...logFaults.map((fault) => `met:log ${fault}`),
  ...kernelFaults.map((fault) => `met:kernel ${fault}`),
  ...hostFaults.map((fault) => `met:host ${fault}`),
  ...phases.flatMap((phase) => [`met:host crash while ${phase}`, `met:host pause while ${phase}`]),
  ...recoveries.map((recovery) => `met:${recovery}`),
  ...answers.map((code) => `met:answer ${code}`),
  ...invariants.split(',').map((invariant) => `checked:${invariant}`),
];

/** What was never met. */
export function missing(counts: ReadonlyMap<string, number>): string[] {
  return sometimes.filter((name) => (counts.get(name) ?? 0) === 0);
}
