/**
 * What a seed is given to live through: how many hosts, which faults and how often. Each kind of fault is absent from
 * about half of the seeds, so that every kind is met alone and with every other; some seeds have none at all.
 */
import { presenceDefaults } from '../../../core/presence/defaults.ts';
import { snapshotOrdinalsMin } from '../../../core/snapshot/defaults.ts';
import { type StoreStyle, storeStyles, type TrapStrengths, traps } from '../store/traps.ts';
import { Chance } from './chance.ts';

/** What may become of a request to the store. */
export const requestFaults = [
  'refuse',
  'full',
  'lose-request',
  'lose-answer',
  'delay',
  'hang',
  'stale-read',
] as const;
export type RequestFault = (typeof requestFaults)[number];

/** What may happen to a host's kernel, by others or by itself. */
export const kernelFaults = [
  'call-fails',
  'operation-fails',
  'answer-lost',
  'no-effect',
  'late-event',
  'lost-events',
  'deaf',
  'delete-by-hand',
  'alter-by-hand',
  'add-by-hand',
  'foreign-link',
  'sandbox-removed',
  'sandbox-remade',
] as const;
export type KernelFault = (typeof kernelFaults)[number];

/** What somebody else may write into the log. */
export const logFaults = ['garbage', 'altered', 'repeated', 'forged', 'oversize'] as const;
export type LogFault = (typeof logFaults)[number];

/** At most, events in a minute. What nearly fits is refused for subtler reasons than what does not: it comes more often. */
const logRates: Readonly<Record<LogFault, number>> = {
  garbage: 12,
  altered: 12,
  repeated: 40,
  forged: 40,
  oversize: 3,
};

/** What may happen to a host as a whole, and to its ways to the store. */
export const hostFaults = [
  'crash',
  'crash-amid',
  'stop',
  'pause',
  'wall-jump',
  'cut-off',
  'outage',
  'swizzle',
  'tail-stall',
  'move',
] as const;
export type HostFault = (typeof hostFaults)[number];

/** What a life is lived in, whatever happens in it. */
export interface Setting {
  readonly hosts: number;
  /** Length of the phase with faults, milliseconds. */
  readonly safetyMs: number;
  /** Longest time that a request takes to the store, and back. */
  readonly storeDelayMs: number;
  readonly kernelDelayMs: number;
  /** Records between two snapshots at least; so many that there is none where they are out of the question. */
  readonly snapshotOrdinals: number;
  /** How long a host is silent before it is down, and down before it expires, milliseconds. */
  readonly graceMs: number;
  readonly retentionMs: number;
  /** How far clocks drift apart, as a part of one. */
  readonly drift: number;
  /** The hosts that stay dead at the end. */
  readonly dead: readonly string[];
  /** What becomes of the store when all is over. */
  readonly ending: Ending;
  /** How much of the log a rolled-back store keeps, as a part of one. */
  readonly kept: number;
  /** What a rolled-back store then holds: fewer entries than before, as many with others at the end, or more. */
  readonly restored: (typeof restoredLengths)[number];
  readonly store: StoreStyle;
  /** Whether the cluster moves to another store, and to one of which style; never of its own. */
  readonly move: (typeof moves)[number];
  readonly to: StoreStyle;
  /** When they go off follows from the seed. */
  readonly traps: TrapStrengths;
}

export const restoredLengths = ['shorter', 'as-long', 'longer'] as const;
/** Operators move it while things go wrong, or when all is well again. */
export const moves = ['none', 'faulty', 'calm'] as const;
export const endings = ['none', 'wiped', 'rolled-back', 'newer-record'] as const;
export type Ending = (typeof endings)[number];

/** What is to be drawn by chance. */
export interface Rates {
  /** Mean pause between two requests of clients, milliseconds; 0 where there are no clients. */
  readonly requestPauseMs: number;
  /** Probability that a client asks for very much at once. */
  readonly flood: number;
  /** Probability for each request. */
  readonly request: Readonly<Record<RequestFault, number>>;
  /** Probability for each call; for what others do, mean events in a minute. */
  readonly kernel: Readonly<Record<KernelFault, number>>;
  /** Mean events in a minute, for each host. */
  readonly host: Readonly<Record<HostFault, number>>;
  /** Mean events in a minute. */
  readonly log: Readonly<Record<LogFault, number>>;
}

export interface Plan extends Setting, Rates {}

/** Nothing is left to chance but delays. */
export const noRates: Rates = {
  requestPauseMs: 0,
  flood: 0,
  request: zeros(requestFaults),
  kernel: zeros(kernelFaults),
  host: zeros(hostFaults),
  log: zeros(logFaults),
};

export function settingOf(plan: Plan): Setting {
  const {
    hosts,
    safetyMs,
    storeDelayMs,
    kernelDelayMs,
    snapshotOrdinals,
    graceMs,
    retentionMs,
    drift,
    dead,
    ending,
    kept,
    restored,
    store,
    move,
    to,
    traps,
  } = plan;
  return {
    hosts,
    safetyMs,
    storeDelayMs,
    kernelDelayMs,
    snapshotOrdinals,
    graceMs,
    retentionMs,
    drift,
    dead,
    ending,
    kept,
    restored,
    store,
    move,
    to,
    traps,
  };
}

export function hostName(number: number): string {
  return `h${number}`;
}

/** @param style of the store, instead of the one that chance would draw; the rest of the plan stays as it is */
export function planOf(seed: number, style?: StoreStyle): Plan {
  const chance = new Chance(seed, 'plan');
  const calm = chance.happens(0.05);
  const rate = (presence: number, max: number): number =>
    !calm && chance.happens(presence) ? chance.unit() * max : 0;
  const table = <K extends string>(keys: readonly K[], presence: number, max: (key: K) => number) =>
    Object.fromEntries(keys.map((key) => [key, rate(presence, max(key))])) as Record<K, number>;
  const hosts = Number(chance.weighted(hostCounts));
  const plan = {
    hosts,
    ...pace(chance),
    flood: rate(0.1, 0.03),
    storeDelayMs: chance.pick(storeDelaysMs),
    kernelDelayMs: chance.pick([0, 1, 10, 60]),
    request: table(requestFaults, 0.4, () => chance.pick([0.02, 0.1, 0.3])),
    kernel: table(kernelFaults, 0.4, (key) => (isOfCalls(key) ? chance.pick([0.02, 0.1, 0.3]) : 20)),
    host: table(hostFaults, 0.5, () => chance.pick([1, 3, 6])),
    log: table(logFaults, 0.3, (fault) => logRates[fault]),
    snapshotOrdinals: Number(chance.weighted({ 4: 15, 12: 25, 30: 30, [snapshotOrdinalsMin]: 30 })),
    drift: inThousandths(rate(0.5, 0.1)),
    dead: deadOf(hosts, rate(0.3, 0.5), chance),
    ending: chance.weighted({ none: 64, wiped: 14, 'rolled-back': 14, 'newer-record': 8 }),
    kept: chance.part(),
    ...patienceOf(seed),
    ...storeOf(seed, style, calm),
  };
  return { ...plan, ...movesOf(seed, plan) };
}

/**
 * In lives of a hundred. What a life costs grows with its hosts, and what goes wrong between hosts goes wrong between two
 * or three: many small lives find more than few large ones.
 */
const hostCounts = { 1: 18, 2: 37, 3: 26, 4: 10, 5: 5, 6: 1, 7: 1, 8: 1, 9: 1 };
const storeDelaysMs = [0, 2, 20, 200];
const roundTripsOfZookeeper = 4;
const retentionMsMin = 5_000;

/** Has a stream of its own: seeds of old lead the lives that they always led. */
function storeOf(
  seed: number,
  forced: StoreStyle | undefined,
  calm: boolean,
): Partial<Plan> & Pick<Plan, 'store' | 'traps' | 'restored'> {
  const chance = new Chance(seed, 'store plan');
  const drawn = chance.weighted({ memory: 1, etcd: 2, consul: 2, zookeeper: 2, file: 2 });
  const store = forced ?? drawn;
  const strengthOf = (): number => (!calm && chance.happens(0.5) ? inThousandths(chance.between(0.2, 1)) : 0);
  return {
    store,
    // Where the head of the log is four round trips away, which `weft status` does not wait for if each is as slow.
    ...(store === 'zookeeper' ? { storeDelayMs: chance.pick(storeDelaysMs) / roundTripsOfZookeeper } : {}),
    restored: chance.pick(restoredLengths),
    traps: Object.fromEntries(traps[store].map((trap) => [trap, strengthOf()])),
  };
}

/**
 * Short in some lives, so that they see the end of them; a third of those have no end of the retention, and another third
 * one that a host may outlast. In most lives hosts are patient, and beat so seldom that what else happens is not drowned in it.
 */
function patienceOf(seed: number): Pick<Plan, 'graceMs' | 'retentionMs'> {
  const chance = new Chance(seed, 'presence plan');
  const retentionMs = chance.pick([30_000, presenceDefaults.retentionMs]);
  if (chance.happens(0.82)) return { graceMs: 900_000, retentionMs };
  const graceMs = chance.pick([6_000, 10_000, presenceDefaults.graceMs]);
  return { graceMs, retentionMs: chance.happens(0.4) ? retentionMsMin : retentionMs };
}

/** Few lives: one that moves takes longer than one that does not. */
function movesOf(
  seed: number,
  plan: Pick<Plan, 'store' | 'storeDelayMs'>,
): Partial<Plan> & Pick<Plan, 'move' | 'to'> {
  const chance = new Chance(seed, 'move plan');
  const move = chance.weighted({ none: 88, faulty: 7, calm: 5 });
  const to = chance.pick(storeStyles.filter((each) => each !== plan.store));
  const isSlowThen = move !== 'none' && to === 'zookeeper';
  return { move, to, ...(isSlowThen ? { storeDelayMs: plan.storeDelayMs / roundTripsOfZookeeper } : {}) };
}

/** The first host always lives. */
function deadOf(hosts: number, share: number, chance: Chance): string[] {
  const names = Array.from({ length: hosts - 1 }, (_, index) => hostName(index + 2));
  return names.filter(() => chance.happens(share));
}

/** As text has it. */
function inThousandths(part: number): number {
  return Math.floor(part * 1_000) / 1_000;
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}

/**
 * Long lives are calm and crowded ones short: many requests over a long time meet little that fewer do not, and would be
 * two thirds of all that a run of many seeds costs.
 */
function pace(chance: Chance): Pick<Plan, 'safetyMs' | 'requestPauseMs'> {
  const requestPauseMs = Number(chance.weighted({ 150: 22, 500: 39, 1_500: 39 }));
  return { requestPauseMs, safetyMs: 4_000 + chance.ms(requestPauseMs === 150 ? 8_000 : 16_000) };
}

function isOfCalls(fault: KernelFault): boolean {
  return ['call-fails', 'operation-fails', 'answer-lost', 'no-effect', 'late-event'].includes(fault);
}
