/**
 * `npm run sim`:
 *
 *   npm run sim -- --seed N [--trace]                  one life, with all that happens in it
 *   npm run sim -- --seed N --shrink [--out FILE]      one that fails, made as small as it gets, as a scenario
 *   npm run sim -- --scenario FILE [--trace]           a scenario
 *   npm run sim -- --seeds N [--from M] [--no-shrink]  many, on all cores, up to the first failure, which is shrunk
 *   npm run sim -- --seeds N --keep-going              all of them, whatever fails; the failures are told at the end
 *   npm run sim -- --seeds N --twice                   each in two processes in other surroundings, to the same digest
 *   ... --store STYLE                         with a store of this style, instead of those that the seeds draw
 *
 * SIGINT or SIGTERM ends a run of many after the lives that are under way, with its whole report.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { checkout } from '../../architecture/checkout.ts';
import { Misuse, runProgram, wholeNumber } from '../../support/program.ts';
import { fromScenario, parse, print as textOf } from '../scenario/scenario.ts';
import { type StoreStyle, storeStyles } from '../store/traps.ts';
import { Trace } from '../world/trace.ts';
import { commitOfCheckout } from './commit.ts';
import { type Failure, runMany } from './many.ts';
import { Report } from './report.ts';
import { SeedRange } from './seed-range.ts';
import { shrinkFailure } from './shrinking.ts';
import { fromSeed, type Origin, simulate } from './simulation.ts';
import { runTwice } from './twice.ts';

const progressMs = 5_000;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function one(name: string, origin: Origin, isTraced: boolean): Promise<boolean> {
  const report = new Report(origin.plan.store);
  try {
    const result = await simulate(origin, new Trace(isTraced ? print : undefined));
    report.add(result);
    print(`${report.text}\n${name} passed, digest ${result.digest}`);
    return true;
  } catch (error) {
    print(
      `${name} FAILED at commit ${commitOfCheckout()}: ${error instanceof Error ? error.stack : String(error)}`,
    );
    return false;
  }
}

interface Wanted {
  readonly from: number;
  readonly count: number;
  readonly store: StoreStyle | undefined;
  readonly keepsGoing: boolean;
  readonly isTwice: boolean;
  readonly isShrunk: boolean;
  readonly out: string | undefined;
}

async function many({ from, count, store, keepsGoing, isTwice, isShrunk, out }: Wanted): Promise<boolean> {
  const report = new Report(store);
  const seeds = new SeedRange(from, count);
  const ticking = setInterval(() => print(report.progress), progressMs);
  const stop = (): void => seeds.stop();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const failures = await (isTwice ? runTwice : runMany)({
    seeds,
    store,
    keepsGoing,
    onResult: (result) => report.add(result),
    onFailure: ({ seed, error }) => print(`seed ${seed} FAILED: ${firstLineOf(error)}`),
  });
  clearInterval(ticking);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  print(report.text);
  if (seeds.isStopped)
    print(`STOPPED before all were lived; go on: npm run sim -- --seeds ${seeds.left} --from ${seeds.next}`);
  if (isTwice) print(`${report.seeds} seeds lived twice, in other surroundings, each to one digest`);
  for (const { seed, error } of failures) {
    const forced = store === undefined ? '' : ` --store ${store}`;
    print(
      `seed ${seed} FAILED at commit ${commitOfCheckout()}: ${error}\n  replay it: npm run sim -- --seed ${seed}${forced} --trace`,
    );
  }
  if (report.missing.length > 0) print('FAILED: the run is vacuous, see what it has never met');
  const [first] = failures;
  if (first !== undefined && isShrunk && !seeds.isStopped) await shrinkAndSave(first, out);
  return failures.length === 0 && report.missing.length === 0 && !seeds.isStopped;
}

async function shrinkSeed(
  seed: number,
  out: string | undefined,
  store: StoreStyle | undefined,
): Promise<boolean> {
  const [failure] = await runMany({ seeds: [seed], store, processes: 1, onResult: () => undefined });
  if (failure === undefined) {
    print(`seed ${seed} passed: there is nothing to shrink`);
    return true;
  }
  print(`seed ${seed} FAILED at commit ${commitOfCheckout()}: ${failure.error}`);
  await shrinkAndSave(failure, out);
  return false;
}

async function shrinkAndSave(failure: Failure, out: string | undefined): Promise<void> {
  if (failure.scenario === undefined)
    return print(`seed ${failure.seed} cannot be shrunk: there is no scenario that failed`);
  const before = parse(failure.scenario).interventions.length;
  const beganAt = performance.now();
  const { scenario, runs, isMinimal } = await shrinkFailure(failure, {
    onSmaller: ({ interventions }, lives) =>
      print(`  ${interventions.length} interventions after ${lives} lives`),
  });
  const seconds = Math.round((performance.now() - beganAt) / 1_000);
  const after = scenario.interventions.length;
  const seen = firstLineOf(failure.error);
  const notes = [
    `seed ${failure.seed} at commit ${commitOfCheckout()}`,
    seen,
    `${before} interventions were shrunk to ${after}`,
  ];
  const text = textOf({ ...scenario, notes });
  const name = `${failure.invariant.replaceAll('/', '-')}-${failure.seed}.txt`;
  const path = out ?? join(checkout, 'test/simulation/scenarios', name);
  writeFileSync(path, text);
  const limit = isMinimal ? '' : ', and could go on: lives or time were used up';
  print(`\n${text}\nshrunk in ${runs} lives and ${seconds} s${limit}`);
  print(`saved; replay it: npm run sim -- --scenario ${relative(process.cwd(), path)} --trace`);
}

function firstLineOf(text: string): string {
  return text.split('\n')[0] ?? '';
}

function styleOf(text: string | undefined): StoreStyle | undefined {
  const style = storeStyles.find((known) => known === text);
  if (text === undefined || style !== undefined) return style;
  throw new Misuse(`--store takes one of ${storeStyles.join(', ')}, not '${text}'`);
}

async function run(): Promise<boolean> {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      shrink: { type: 'boolean' },
      'keep-going': { type: 'boolean', default: false },
      twice: { type: 'boolean', default: false },
      scenario: { type: 'string' },
      out: { type: 'string' },
      store: { type: 'string' },
    },
  });
  const { scenario, out } = values;
  const store = styleOf(values.store);
  if (scenario !== undefined) {
    return await one(scenario, fromScenario(parse(readFileSync(scenario, 'utf8'))), values.trace);
  }
  if (values.seed === undefined) {
    return await many({
      from: wholeNumber(values.from, 'from'),
      count: wholeNumber(values.seeds, 'seeds'),
      store,
      keepsGoing: values['keep-going'],
      isTwice: values.twice,
      isShrunk: values.shrink ?? true,
      out,
    });
  }
  const seed = wholeNumber(values.seed, 'seed');
  if (values.shrink === true) return await shrinkSeed(seed, out, store);
  return await one(`seed ${seed}`, fromSeed(seed, store), values.trace);
}

await runProgram(run);
