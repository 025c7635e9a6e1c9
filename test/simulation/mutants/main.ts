/**
 * `npm run mutants`: hunts every mutant, then lives the seeds that found one once more without any.
 *
 *   npm run mutants -- [--only ID,ID] [--missing] [--seeds-max N] [--rounds R] [--write]
 *
 * The status is 1 when a round did not find its mutant within its seeds, or when a seed fails without one. `--write`
 * puts each row into `docs/mutants.md` as soon as it is known; `--missing` hunts those that have no row there, or one of
 * another fault, so a hunt that was ended goes on where it was.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkout } from '../../architecture/checkout.ts';
import { Misuse, runProgram, wholeNumber } from '../../support/program.ts';
import { mutants } from './all.ts';
import { failuresWithoutMutant, hunt, type Round } from './hunt.ts';
import type { Mutant } from './mutant.ts';
import { lineOf, rowOf, rowsThere, writeRows } from './table.ts';

const page = join(checkout, 'docs/mutants.md');

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      missing: { type: 'boolean', default: false },
      'seeds-max': { type: 'string', default: '500' },
      rounds: { type: 'string', default: '5' },
      write: { type: 'boolean', default: false },
    },
  });
  const rounds = wholeNumber(values.rounds, 'rounds', 1);
  const seedsMax = wholeNumber(values['seeds-max'], 'seeds-max', 1);
  const told = values.missing ? rowsThere(page, mutants) : new Set<string>();
  const chosen = chosenOf(values.only).filter(({ id }) => !told.has(id));
  const hunted = { seedsMax, commit: commit() };
  const beganAt = performance.now();
  const all: Round[] = [];
  const onRound = (round: Round): void => {
    all.push(round);
    const own = all.filter(({ mutant }) => mutant === round.mutant);
    if (own.length < rounds) return;
    const row = rowOf(round.mutant, own);
    print(lineOf(row));
    if (values.write) writeRows(page, [row], mutants, hunted);
    const [example] = own.flatMap(({ finding }) => finding ?? []);
    if (example !== undefined) print(`    ${example.seed}: ${example.error.split('\n')[0]?.slice(0, 200)}`);
  };
  await hunt(chosen, { rounds, seedsMax, onRound });
  const seconds = Math.round((performance.now() - beganAt) / 1_000);
  const rows = chosen.map((mutant) =>
    rowOf(
      mutant,
      all.filter((round) => round.mutant === mutant),
    ),
  );
  const seeds = new Set(all.flatMap(({ finding }) => finding?.seed ?? []));
  const failures = await failuresWithoutMutant(seeds);
  for (const { seed, error } of failures) print(`seed ${seed} FAILED without a mutant: ${error}`);
  const missed = rows.filter(({ found }) => found < rounds);
  const summary =
    `${rows.length - missed.length} of ${rows.length} mutants found in each of ${rounds} rounds of at most ${seedsMax} seeds, ` +
    `at ${hunted.commit}. The ${seeds.size} seeds that found one ${failures.length === 0 ? 'pass' : 'FAIL'} without any.`;
  print(`${summary} ${seconds} seconds`);
  return missed.length === 0 && failures.length === 0;
}

function chosenOf(only: string | undefined): readonly Mutant[] {
  if (only === undefined) return mutants;
  return only.split(',').flatMap((id) => {
    const some = mutants.filter((mutant) => mutant.id.startsWith(id));
    if (some.length === 0) throw new Misuse(`There is no mutant whose id begins with '${id}'`);
    return some;
  });
}

function commit(): string {
  return execFileSync('git', ['-C', checkout, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
}

await runProgram(main);
