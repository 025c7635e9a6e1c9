/**
 * Each seed lived in two processes whose surroundings differ in all that must not matter: time zone, language, sizes of
 * heap and stack, how the engine hashes strings, and the lives that the process has lived before. Both must take the same
 * steps: their traces have one digest.
 */
import { availableParallelism } from 'node:os';
import { Child, type Failure, type ManyOptions, SeedQueue, type Surroundings } from './many.ts';
import type { Answer } from './worker.ts';

/** Lives that the two processes of a pair live in opposite order. */
const chunk = 8;
/** Of two traces, before they part. */
const linesBefore = 3;

const here: Surroundings = { env: { TZ: 'UTC', LANG: 'C' }, execArgv: [] };
const there: Surroundings = {
  env: { TZ: 'Pacific/Chatham', LANG: 'sv_SE.UTF-8', LC_ALL: 'sv_SE.UTF-8' },
  execArgv: ['--max-old-space-size=256', '--max-semi-space-size=1', '--stack-size=700', '--hash-seed=4711'],
};

/**
 * As `runMany` does, with half as many lives at once. A seed fails when either life of it fails, or when they differ.
 *
 * @param options `fork` adds to the surroundings of both
 */
export async function runTwice(options: ManyOptions): Promise<readonly Failure[]> {
  const queue = new SeedQueue(options);
  const pairs = Math.max(1, Math.floor((options.processes ?? availableParallelism()) / 2));
  await Promise.all(Array.from({ length: pairs }, () => serve(options, queue)));
  return queue.failures;
}

type Pair = readonly [Child, Child];

async function serve(options: ManyOptions, queue: SeedQueue): Promise<void> {
  const child = (own: Surroundings): Child => new Child(both(own, options.fork), options.hangMs);
  const pair: Pair = [child(here), child(there)];
  try {
    for (let seeds = queue.take(chunk); seeds.length > 0; seeds = queue.take(chunk)) {
      const [ones, others] = await Promise.all([
        liveAll(pair[0], seeds, options),
        liveAll(pair[1], seeds.toReversed(), options),
      ]);
      for (const seed of seeds) {
        const failure = await compare(seed, pair, [ones.get(seed), others.get(seed)], options);
        if (failure !== undefined) queue.add(failure);
      }
    }
  } finally {
    for (const each of pair) each.end();
  }
}

async function liveAll(
  child: Child,
  seeds: readonly number[],
  { store }: ManyOptions,
): Promise<Map<number, Answer>> {
  const answers = new Map<number, Answer>();
  for (const seed of seeds) answers.set(seed, await child.ask({ seed, store }));
  return answers;
}

async function compare(
  seed: number,
  pair: Pair,
  [one, other]: readonly [Answer | undefined, Answer | undefined],
  options: ManyOptions,
): Promise<Failure | undefined> {
  if (one?.type === 'passed' && other?.type === 'passed' && one.result.digest === other.result.digest) {
    options.onResult(one.result);
    return undefined;
  }
  const parted = await parting(seed, pair, options);
  const isAlike = one?.type === 'failed' && other?.type === 'failed' && one.invariant === other.invariant;
  // What fails alike in both may still have come about in two ways.
  if (isAlike && parted === undefined) return { ...one, seed };
  const isOther = 'two processes in other surroundings did not live the same life';
  const why = parted ?? 'lived once more they are the same, so something is left over from the lives before';
  return { seed, invariant: 'determinism', error: `${isOther}: ${why}` };
}

/** Where two lives of a seed part, with the lines before; undefined where they do not. */
async function parting(seed: number, pair: Pair, { store }: ManyOptions): Promise<string | undefined> {
  const [one, other] = await Promise.all(
    pair.map(async (child) => (await child.ask({ seed, store, isTold: true })).lines ?? []),
  );
  if (one === undefined || other === undefined) throw new Error('Broken invariant: a pair is two');
  const at = Array.from({ length: Math.max(one.length, other.length) }).findIndex(
    (_, index) => one[index] !== other[index],
  );
  if (at === -1) return undefined;
  return [
    `they part at line ${at + 1} of their traces, after`,
    ...one.slice(Math.max(0, at - linesBefore), at),
    `here:  ${one[at] ?? 'the end'}`,
    `there: ${other[at] ?? 'the end'}`,
  ].join('\n  ');
}

function both(own: Surroundings, more: Surroundings = {}): Surroundings {
  return {
    env: { ...process.env, ...more.env, ...own.env },
    execArgv: [...(own.execArgv ?? []), ...(more.execArgv ?? [])],
  };
}
