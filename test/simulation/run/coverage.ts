/**
 * What a run of many seeds must have met at least once. A run that has not is vacuous: it would be green however broken
 * the code were.
 */
import { encounters, type StoreStyle, traps } from '../store/traps.ts';
import {
  type HostFault,
  hostFaults,
  kernelFaults,
  logFaults,
  type RequestFault,
  requestFaults,
} from '../world/plan.ts';

/** Seeds from which on everything must have been met. */
export const coveredSeeds = 500;

/** Of a process's life, beside `halted`, into which only the loss of the store leads. */
const phases = ['opening', 'catching-up', 'joining', 'running'] as const;
const recoveries = [
  'restart',
  'removed host comes back',
  'host comes back elsewhere',
  'host comes back half blind',
  'lost while another part is waited for',
  'archive full',
  'hosts stay dead',
  'long rest',
  'crash within a batch',
  'late request of a dead process lands',
  'unknown request carried out later',
  'request repeated',
  'flood of requests',
  'beginning from a snapshot',
  'leap',
  'request cancelled',
  'healed a host that was down',
  'healed a host that was paused',
  'healed a store that was out',
  'store wiped',
  'store restored shorter',
  'store restored as-long',
  'store restored longer',
  'store newer-record',
  'phase liveness',
  'phase audit',
  'phase ending',
  'store written back',
  'store written back by several',
  'cluster moves amid faults',
  'cluster moves in calm',
  'cluster is moved by several at once',
  'host dies over a move of the cluster',
  'host looks where the cluster has left',
  'entry behind the seal',
  'host goes down',
  'host comes up again',
  'host expires',
  'expired host comes back',
  'too many hosts are silent',
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
  'port-taken',
  'no-such-network',
  'no-such-endpoint',
  'no-such-sandbox',
];
const invariants =
  'I1,I2,I3,I4,I5,I6,I7,I7 found out,I8,I9,I9 at rest,I10,I11,I12,I13,I13-I21,I14,I18,I19,I22,I23,I24,I26,I27,I27 in the kernel,' +
  'I27 out of the kernel,I29,I29 promptly,I30 promptly,I31,I31 at rest,I31 across a move,I31 in order,I32,I33,I33 promptly,' +
  'I34,I36,I37,I39,I39 across a move,I43,I43 frozen,I45,I46,I47';

/** What cannot happen to a store of a style: nothing comes between a process and its disk. */
const impossible: Readonly<Record<StoreStyle, readonly (RequestFault | HostFault)[]>> = {
  memory: [],
  // The adapter never asks for a read that may be old.
  etcd: ['stale-read'],
  // Nor is Consul ever full.
  consul: ['full'],
  zookeeper: ['stale-read'],
  file: [...requestFaults.filter((fault) => fault !== 'full')],
};

const common: readonly string[] = [
  ...kernelFaults.map((fault) => `met:kernel ${fault}`),
  ...hostFaults.map((fault) => `met:host ${fault}`),
  ...phases.flatMap((phase) => [`met:host crash while ${phase}`, `met:host pause while ${phase}`]),
  ...recoveries.map((recovery) => `met:${recovery}`),
  ...answers.map((code) => `met:answer ${code}`),
  ...invariants.split(',').map((invariant) => `checked:${invariant}`),
];

/** What lives with stores of these styles must meet. */
export function sometimesOf(styles: readonly StoreStyle[]): readonly string[] {
  const possible = requestFaults.filter((fault) =>
    styles.some((style) => !impossible[style].includes(fault)),
  );
  return [
    ...common.filter((name) => possible.includes('full') || name !== 'met:answer store-full'),
    ...possible.map((fault) => `met:request ${fault}`),
    ...possible
      .filter((fault) => fault !== 'stale-read' && fault !== 'full')
      .flatMap((fault) => phases.map((phase) => `met:request ${fault} while ${phase}`)),
    ...(styles.every((style) => style === 'file') ? [] : logFaults.map((fault) => `met:log ${fault}`)),
    ...styles.flatMap((style) => [
      ...traps[style].map((trap) => `met:${style} ${trap}`),
      ...encounters[style].map((encounter) => `met:${style} ${encounter}`),
      `met:${style} store trimmed`,
      `met:${style} store wiped`,
      `met:${style} store rolled-back`,
    ]),
  ];
}

/** What was never met. */
export function missing(sometimes: readonly string[], counts: ReadonlyMap<string, number>): string[] {
  return sometimes.filter((name) => (counts.get(name) ?? 0) === 0);
}
