/** Scenarios that are smaller or plainer than a given one in one respect, the greatest steps first. */
import { presenceDefaults } from '../../../core/presence/defaults.ts';
import { snapshotOrdinalsMin } from '../../../core/snapshot/defaults.ts';
import { hostName } from '../world/plan.ts';
import { type Intervention, isRequest, verbs } from './intervention.ts';
import type { Scenario } from './scenario.ts';

/** After the last intervention, for what comes of it. */
const marginsMs = [1, 1_000, 5_000, 20_000];
const roundMs = [1_000, 100, 10];

export function without(
  scenario: Scenario,
  isGone: (intervention: Intervention, index: number) => boolean,
): Scenario {
  const interventions = scenario.interventions.filter((each, index) => !isGone(each, index));
  return { ...scenario, interventions };
}

/** Interventions that are likely to be needed together or not at all. */
export function kindOf({ who, doing }: Intervention): string {
  return `${doing.verb in verbs ? doing.verb : who} ${'fate' in doing ? doing.fate : ''}`;
}

/** Fewer hosts, a shorter life, no ending, no delays. */
export function* candidatesOfSetting(scenario: Scenario): Generator<Scenario> {
  const { setting, interventions } = scenario;
  for (let hosts = 1; hosts < setting.hosts; hosts += 1) yield withHosts(scenario, hosts);
  for (let number = setting.hosts - 1; number >= 1; number -= 1) yield withoutHost(scenario, number);
  const plain = {
    ...{ ending: 'none', dead: [], drift: 0, storeDelayMs: 0, kernelDelayMs: 0, kept: 0 },
    snapshotOrdinals: snapshotOrdinalsMin,
    ...presenceDefaults,
  } as const;
  for (const [name, value] of Object.entries(plain)) {
    if (String(setting[name as keyof typeof plain]) === String(value)) continue;
    yield { ...scenario, setting: { ...setting, [name]: value } };
  }
  if (setting.move !== 'none') yield { ...scenario, setting: { ...setting, move: 'none' } };
  const to = setting.to === 'memory' ? setting.store : setting.to;
  const plainest = { ...setting, store: 'memory', to, traps: {} } as const;
  if (setting.store !== 'memory') yield { ...scenario, setting: plainest };
  for (const [trap, value] of Object.entries(setting.traps)) {
    if (value === 0) continue;
    yield { ...scenario, setting: { ...setting, traps: { ...setting.traps, [trap]: 0 } } };
  }
  const lastMs = interventions.at(-1)?.atMs ?? 0;
  for (const marginMs of marginsMs) {
    const safetyMs = lastMs + marginMs;
    if (safetyMs < setting.safetyMs) yield { ...scenario, setting: { ...setting, safetyMs } };
  }
}

/** Fewer values of interventions, smaller numbers, rounder times. */
export function* plainer(scenario: Scenario): Generator<Scenario> {
  const { interventions } = scenario;
  for (const toMs of roundMs) {
    const rounded = interventions.map((each) => ({ ...each, atMs: each.atMs - (each.atMs % toMs) }));
    if (rounded.some(({ atMs }, index) => atMs !== interventions[index]?.atMs))
      yield { ...scenario, interventions: rounded };
  }
  for (const [index, intervention] of interventions.entries()) {
    for (const doing of plainerDoings(intervention)) {
      yield { ...scenario, interventions: interventions.with(index, { ...intervention, doing }) };
    }
  }
}

function* plainerDoings({ doing }: Intervention): Generator<Intervention['doing']> {
  for (const [name, codec] of Object.entries(verbs[doing.verb])) {
    const value: unknown = (doing as Readonly<Record<string, unknown>>)[name];
    if (codec.isOptional && value !== undefined) yield { ...doing, [name]: undefined };
    else if (typeof value === 'number' && value !== 0) {
      yield { ...doing, [name]: 0 };
      if (value >= 1_000 && value % 1_000 !== 0) yield { ...doing, [name]: value - (value % 1_000) };
    }
  }
}

/** The first of them alone. */
function withHosts(scenario: Scenario, hosts: number): Scenario {
  const names = Array.from({ length: hosts }, (_, index) => hostName(index + 1));
  const interventions = scenario.interventions.filter((each) => names.includes(hostOf(each) ?? hostName(1)));
  const dead = scenario.setting.dead.filter((name) => names.includes(name));
  return { ...scenario, setting: { ...scenario.setting, hosts, dead }, interventions };
}

/** Without one of them; those behind it get other names. */
function withoutHost(scenario: Scenario, number: number): Scenario {
  const { setting } = scenario;
  const rename = new Map<string, string>();
  for (let each = number + 1; each <= setting.hosts; each += 1)
    rename.set(hostName(each), hostName(each - 1));
  const named = (name: string): string => rename.get(name) ?? name;
  const kept = scenario.interventions.filter((each) => hostOf(each) !== hostName(number));
  const interventions = kept.map((each): Intervention => {
    if (!isRequest(each)) return { ...each, who: named(each.who) };
    return { ...each, doing: { ...each.doing, host: named(each.doing.host) } };
  });
  const dead = setting.dead.filter((name) => name !== hostName(number)).map(named);
  return { ...scenario, setting: { ...setting, hosts: setting.hosts - 1, dead }, interventions };
}

/** Whom it is done to, where that is a host. */
function hostOf(intervention: Intervention): string | undefined {
  if (isRequest(intervention)) return intervention.doing.host;
  return /^h\d+$/.test(intervention.who) ? intervention.who : undefined;
}
