/**
 * `npm run sim`:
 *
 *   npm run sim -- --seed N [--trace]         one life, with all that happens in it
 *   npm run sim -- --seeds N [--from M]       many, on all cores, up to the first failure
 *   ... --store STYLE                         with a store of this style, instead of those that the seeds draw
 */
import { parseArgs } from 'node:util';
import { type StoreStyle, storeStyles } from '../store/traps.ts';
import { Trace } from '../world/trace.ts';
import { commitOfCheckout } from './commit.ts';
import { runMany } from './many.ts';
import { Report } from './report.ts';
import { fromSeed, simulate } from './simulation.ts';

const progressMs = 5_000;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function one(seed: number, isTraced: boolean, store: StoreStyle | undefined): Promise<boolean> {
  const report = new Report(store);
  try {
    const result = await simulate(fromSeed(seed, store), new Trace(isTraced ? print : undefined));
    report.add(result);
    print(`${report.text}\nseed ${seed} passed, digest ${result.digest}`);
    return true;
  } catch (error) {
    print(
      `seed ${seed} FAILED at commit ${commitOfCheckout()}: ${error instanceof Error ? error.stack : String(error)}`,
    );
    return false;
  }
}

async function many(from: number, count: number, store: StoreStyle | undefined): Promise<boolean> {
  const report = new Report(store);
  const ticking = setInterval(() => print(report.progress), progressMs);
  const failures = await runMany({
    seeds: range(from, count),
    store,
    onResult: (result) => report.add(result),
  });
  clearInterval(ticking);
  print(report.text);
  for (const { seed, error } of failures) {
    const forced = store === undefined ? '' : ` --store ${store}`;
    print(
      `seed ${seed} FAILED at commit ${commitOfCheckout()}: ${error}\n  replay it: npm run sim -- --seed ${seed}${forced} --trace`,
    );
  }
  if (report.missing.length > 0) print('FAILED: the run is vacuous, see what it has never met');
  return failures.length === 0 && report.missing.length === 0;
}

function* range(from: number, count: number): Generator<number> {
  for (let seed = from; seed < from + count; seed++) yield seed;
}

function wholeNumber(text: string, option: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Error(`--${option} takes a whole number, not '${text}'`);
}

function styleOf(text: string | undefined): StoreStyle | undefined {
  const style = storeStyles.find((known) => known === text);
  if (text === undefined || style !== undefined) return style;
  throw new Error(`--store takes one of ${storeStyles.join(', ')}, not '${text}'`);
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    store: { type: 'string' },
  },
});
const store = styleOf(values.store);
const isGood =
  values.seed === undefined
    ? await many(wholeNumber(values.from, 'from'), wholeNumber(values.seeds, 'seeds'), store)
    : await one(wholeNumber(values.seed, 'seed'), values.trace, store);
process.exitCode = isGood ? 0 : 1;
