/**
 * `npm run sim`:
 *
 *   npm run sim -- --seed N [--trace]         one life, with all that happens in it
 *   npm run sim -- --seeds N [--from M]       many, on all cores, up to the first failure
 */
import { parseArgs } from 'node:util';
import { Trace } from '../world/trace.ts';
import { commitOfCheckout } from './commit.ts';
import { runMany } from './many.ts';
import { Report } from './report.ts';
import { fromSeed, simulate } from './simulation.ts';

const progressMs = 5_000;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function one(seed: number, isTraced: boolean): Promise<boolean> {
  const report = new Report();
  try {
    const result = await simulate(fromSeed(seed), new Trace(isTraced ? print : undefined));
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

async function many(from: number, count: number): Promise<boolean> {
  const report = new Report();
  const ticking = setInterval(() => print(report.progress), progressMs);
  const failures = await runMany({
    seeds: range(from, count),
    onResult: (result) => report.add(result),
  });
  clearInterval(ticking);
  print(report.text);
  for (const { seed, error } of failures) {
    print(
      `seed ${seed} FAILED at commit ${commitOfCheckout()}: ${error}\n  replay it: npm run sim -- --seed ${seed} --trace`,
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

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
  },
});
const isGood =
  values.seed === undefined
    ? await many(wholeNumber(values.from, 'from'), wholeNumber(values.seeds, 'seeds'))
    : await one(wholeNumber(values.seed, 'seed'), values.trace);
process.exitCode = isGood ? 0 : 1;
