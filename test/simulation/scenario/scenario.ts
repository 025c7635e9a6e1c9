/**
 * A life as text: its seed, the setting, and every intervention on a line of its own, in the order in which they come.
 *
 *     # found by seed 1350
 *     expect: pass
 *     seed: 1350
 *     hosts: 2
 *     ...
 *     at 1200 h2 crash
 *     at 3400 c1 create-network host=h1 name=red driver=overlay pool=10.0.1.0/28 space=default
 *     at 3500 h1 append fate=lose-answer
 *
 * The verbs and their values are the tables of `intervention.ts`. Lines that begin with `#` are notes.
 */
import type { Origin } from '../run/simulation.ts';
import { storeStyles } from '../store/traps.ts';
import {
  endings,
  hostName,
  moves,
  noRates,
  restoredLengths,
  type Setting,
  settingOf,
} from '../world/plan.ts';
import { type Codec, list, oneOf, part, strengths, whole, word } from './codec.ts';
import { type Intervention, isFate, isForeign, isOfHost, isOfLog, isRequest, verbs } from './intervention.ts';
import { Script } from './script.ts';

export interface Scenario {
  readonly notes: readonly string[];
  /** `pass`, or the number of the invariant that it breaks. */
  readonly expect: string;
  readonly seed: number;
  readonly setting: Setting;
  readonly interventions: readonly Intervention[];
}

/** A line that is none of a scenario: which, what it says, and why that cannot be. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly line: number;

  constructor(line: number, what: string, why: string) {
    super(`Line ${line} of the scenario, '${what}', cannot be taken: ${why}`);
    this.line = line;
  }
}

const settingCodecs: { readonly [K in keyof Setting]: Codec<Setting[K]> } = {
  hosts: whole,
  safetyMs: whole,
  storeDelayMs: whole,
  kernelDelayMs: whole,
  snapshotOrdinals: whole,
  graceMs: whole,
  retentionMs: whole,
  drift: part,
  dead: list(word),
  ending: oneOf(endings),
  kept: part,
  restored: oneOf(restoredLengths),
  store: oneOf(storeStyles),
  move: oneOf(moves),
  to: oneOf(storeStyles),
  traps: strengths,
};
const headers: Readonly<Record<string, Codec<unknown>>> = { expect: word, seed: whole, ...settingCodecs };
const knownVerbs: Readonly<Record<string, Readonly<Record<string, Codec<unknown>>>>> = verbs;

/** What is to be lived, with nothing but delays left to chance. */
export function fromScenario({ seed, setting, interventions }: Scenario): Origin {
  return { seed, plan: { ...setting, ...noRates }, script: new Script(interventions) };
}

/** What was lived so far, and broke an invariant. */
export function scenarioOf({ seed, plan, script }: Origin, expect: string): Scenario {
  return { notes: [], expect, seed, setting: settingOf(plan), interventions: [...script.happened] };
}

export function print({ notes, expect, seed, setting, interventions }: Scenario): string {
  const values: Readonly<Record<string, unknown>> = { expect, seed, ...setting };
  const lines = notes.map((note) => `# ${note}`);
  for (const [name, codec] of Object.entries(headers)) lines.push(`${name}: ${codec.print(values[name])}`);
  return [...lines, '', ...interventions.map(printLine), ''].join('\n');
}

export function printLine({ atMs, who, doing }: Intervention): string {
  const values: Readonly<Record<string, unknown>> = { ...doing };
  const words = ['at', String(atMs), word.print(who), doing.verb];
  for (const [name, codec] of Object.entries(knownVerbs[doing.verb] ?? {})) {
    if (values[name] !== undefined) words.push(`${name}=${codec.print(values[name])}`);
  }
  return words.join(' ');
}

/** @throws ScenarioError */
export function parse(text: string): Scenario {
  const notes: string[] = [];
  const values = new Map<string, unknown>();
  const read: { readonly line: number; readonly text: string; readonly intervention: Intervention }[] = [];
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    if (line.startsWith('#')) notes.push(line.slice(1).trim());
    else if (line.startsWith('at ')) {
      read.push({ line: index + 1, text: line, intervention: parseLine(line, index + 1) });
    } else parseHeader(line, index + 1, values);
  });
  const missing = Object.keys(headers).find((name) => !values.has(name));
  if (missing !== undefined) throw new ScenarioError(1, '', `the scenario has no line '${missing}: ...'`);
  const { expect, seed, ...setting } = Object.fromEntries(values) as unknown as Setting & {
    readonly expect: string;
    readonly seed: number;
  };
  const hosts = Array.from({ length: setting.hosts }, (_, index) => hostName(index + 1));
  for (const { line, text: what, intervention } of read) {
    const fault = faultOf(intervention, hosts, setting.safetyMs);
    if (fault !== undefined) throw new ScenarioError(line, what, fault);
  }
  return { notes, expect, seed, setting, interventions: read.map(({ intervention }) => intervention) };
}

function parseHeader(line: string, number: number, values: Map<string, unknown>): void {
  const at = line.indexOf(':');
  const name = line.slice(0, Math.max(at, 0));
  const codec = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (codec === undefined) {
    throw new ScenarioError(
      number,
      line,
      `a line is a note, an intervention or one of ${Object.keys(headers).join(', ')}`,
    );
  }
  if (values.has(name)) throw new ScenarioError(number, line, `there is a '${name}' before it`);
  values.set(name, valueOf(codec, line.slice(at + 1).trim(), number, line));
}

function parseLine(line: string, number: number): Intervention {
  const [, atText = '', whoText = '', verb = '', ...rest] = line.trim().split(/ +/);
  const codecs = Object.hasOwn(knownVerbs, verb) ? knownVerbs[verb] : undefined;
  if (codecs === undefined) {
    throw new ScenarioError(
      number,
      line,
      `'${verb}' is no verb; known are ${Object.keys(knownVerbs).join(', ')}`,
    );
  }
  const doing: Record<string, unknown> = Object.fromEntries(
    Object.keys(codecs).map((name) => [name, undefined]),
  );
  for (const each of rest) {
    const at = each.indexOf('=');
    const name = each.slice(0, Math.max(at, 0));
    const codec = Object.hasOwn(codecs, name) ? codecs[name] : undefined;
    if (codec === undefined) {
      const known = Object.keys(codecs).join(', ') || 'none';
      throw new ScenarioError(number, line, `'${each}' is no value of '${verb}'; known are ${known}`);
    }
    if (doing[name] !== undefined) throw new ScenarioError(number, line, `'${name}' is given twice`);
    doing[name] = valueOf(codec, each.slice(at + 1), number, line);
  }
  const missing = Object.entries(codecs).find(
    ([name, codec]) => !codec.isOptional && doing[name] === undefined,
  );
  if (missing !== undefined) throw new ScenarioError(number, line, `'${verb}' needs '${missing[0]}=...'`);
  const atMs = valueOf(whole, atText, number, line) as number;
  const who = valueOf(word, whoText, number, line) as string;
  return { atMs, who, doing: { verb, ...doing } } as Intervention;
}

function valueOf(codec: Codec<unknown>, text: string, number: number, line: string): unknown {
  const value = codec.parse(text);
  if (value === undefined) throw new ScenarioError(number, line, `'${text}' is not ${codec.wants}`);
  return value;
}

/** Why it can never happen; undefined where it can. */
function faultOf(intervention: Intervention, hosts: readonly string[], safetyMs: number): string | undefined {
  const { atMs, who, doing } = intervention;
  if (atMs < 0 || atMs > safetyMs)
    return `all that happens lies between 0 and ${safetyMs} ms, the safety phase`;
  const isNotHost = (name: string): string | undefined =>
    hosts.includes(name) ? undefined : `'${name}' is no host; there are ${hosts.join(', ')}`;
  if (isRequest(intervention)) return isNotHost(intervention.doing.host);
  if (isOfLog(intervention)) return who === 'somebody' ? undefined : `'${doing.verb}' is done by somebody`;
  if (doing.verb === 'outage') return who === 'store' ? undefined : `'${doing.verb}' is of the store`;
  if (isOfHost(intervention) || isForeign(intervention) || isFate(intervention)) return isNotHost(who);
  return undefined;
}
