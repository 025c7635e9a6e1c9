/** Hunts: lives of a mutant, seed after seed, until one of them finds it. */
import { availableParallelism } from 'node:os';
import { type Failure, runMany } from '../run/many.ts';
import { storeStyles } from '../store/traps.ts';
import { planOf } from '../world/plan.ts';
import { type Mutant, mutantVariable } from './mutant.ts';

/** Real time after which a life of a mutant counts as hanging. */
const mutantHangMs = 60_000;
/** The first seed of the first round, and how far apart rounds begin. */
const firstSeed = 300_001;
const seedsPerRound = 10_000;

/** What found a mutant. */
export interface Finding {
  readonly seed: number;
  /** Seeds that it took, this one included, and those that could not reach it. */
  readonly seeds: number;
  /** Number of the invariant; `hang`, or `exception` where something threw that is no violation. */
  readonly invariant: string;
  readonly error: string;
}

export interface Round {
  readonly mutant: Mutant;
  readonly round: number;
  /** Absent when no life found it. */
  readonly finding?: Finding;
}

export interface HuntOptions {
  readonly rounds: number;
  /** Lives after which a round gives up. */
  readonly seedsMax: number;
  onRound?(round: Round): void;
}

/** Every round of every mutant, on all cores; in the order of the mutants, then of the rounds. */
export async function hunt(
  mutants: readonly Mutant[],
  { rounds, seedsMax, onRound }: HuntOptions,
): Promise<readonly Round[]> {
  const jobs = mutants.flatMap((mutant) => Array.from({ length: rounds }, (_, round) => ({ mutant, round })));
  return await inParallel(jobs, async ({ mutant, round }) => {
    const finding = await huntOnce(mutant, firstSeed + round * seedsPerRound, seedsMax);
    const done: Round = { mutant, round, ...(finding === undefined ? {} : { finding }) };
    onRound?.(done);
    return done;
  });
}

async function huntOnce(mutant: Mutant, from: number, seedsMax: number): Promise<Finding | undefined> {
  const register = new URL('./register.js', import.meta.url).href;
  const [failure] = await runMany({
    seeds: seedsThatReach(mutant, from, seedsMax),
    processes: 1,
    hangMs: mutantHangMs,
    fork: { env: { ...process.env, [mutantVariable]: mutant.id }, execArgv: ['--import', register] },
    onResult: () => undefined,
  });
  if (failure === undefined) return undefined;
  const { seed, error } = failure;
  // A process that cannot even begin has found nothing.
  if (error.startsWith('the process ended')) throw new Error(`${mutant.id}, seed ${seed}: ${error}`);
  return { seed, seeds: seed - from + 1, invariant: invariantOf(error), error };
}

/** Without those whose lives have another store than the adapter that the fault is in, and so nothing of it to run. */
function seedsThatReach({ file }: Mutant, from: number, count: number): readonly number[] {
  const seeds = Array.from({ length: count }, (_, index) => from + index);
  const style = storeStyles.find((each) => file.startsWith(`adapters/${each}/`));
  return style === undefined ? seeds : seeds.filter((seed) => planOf(seed).store === style);
}

/** The control: without any mutant these seeds must pass. */
export async function failuresWithoutMutant(seeds: Iterable<number>): Promise<readonly Failure[]> {
  return await runMany({ seeds, onResult: () => undefined });
}

function invariantOf(error: string): string {
  if (error.includes('the process hangs')) return 'hang';
  const number = /^(?:\w+: )?(I\d+(?:[-/]I\d+)*): /.exec(error)?.[1];
  return number ?? 'exception';
}

async function inParallel<T, R>(jobs: readonly T[], work: (job: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const serve = async (): Promise<void> => {
    for (let index = next++; index < jobs.length; index = next++) {
      results[index] = await work(jobs[index] as T);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, serve));
  return results;
}
