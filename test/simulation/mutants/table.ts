/** What hunts found, as a table: for the terminal and for `docs/mutants.md`, whose last part it is. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Round } from './hunt.ts';
import type { Mutant } from './mutant.ts';

/** In the page: what comes before is written by hand, what follows is written by `npm run mutants -- --write`. */
const beginning = '<!-- written by npm run mutants -- --write: do not edit below -->';

export interface Row {
  readonly mutant: Mutant;
  readonly rounds: number;
  readonly found: number;
  /** Of the rounds that found it; absent where none did. */
  readonly median?: number;
  readonly most?: number;
  /** The invariants that found it, most often first. */
  readonly invariants: readonly string[];
}

export function rowOf(mutant: Mutant, rounds: readonly Round[]): Row {
  const findings = rounds.flatMap(({ finding }) => finding ?? []);
  const seeds = findings.map((finding) => finding.seeds).sort((a, b) => a - b);
  const counts = new Map<string, number>();
  for (const { invariant } of findings) counts.set(invariant, (counts.get(invariant) ?? 0) + 1);
  const median = seeds[Math.floor((seeds.length - 1) / 2)];
  const most = seeds.at(-1);
  return {
    mutant,
    rounds: rounds.length,
    found: findings.length,
    ...(median === undefined || most === undefined ? {} : { median, most }),
    invariants: [...counts].sort(([, a], [, b]) => b - a).map(([invariant]) => invariant),
  };
}

export function lineOf({ mutant, rounds, found, median, most, invariants }: Row): string {
  const verdict = found === rounds ? 'found' : found === 0 ? 'NOT FOUND' : `FOUND IN ${found} OF ${rounds}`;
  const seeds = median === undefined ? '' : `median ${median}, most ${most}, by ${invariants.join(', ')}`;
  return `${mutant.id.padEnd(34)} ${verdict.padEnd(16)} ${seeds}`.trimEnd();
}

/** Ids of the mutants whose rows in the page tell of what they are now. */
export function rowsThere(path: string, mutants: readonly Mutant[]): ReadonlySet<string> {
  const lines = linesOf(readFileSync(path, 'utf8'));
  const isTold = (mutant: Mutant): boolean => lines.get(mutant.id)?.startsWith(beginningOf(mutant)) === true;
  return new Set(mutants.filter(isTold).map(({ id }) => id));
}

/**
 * Puts rows into the generated part of the page; those of other mutants stay as they are.
 *
 * @param mutants all there are, in the order of the table: rows of others go
 * @param hunted how it was hunted, and at which commit
 */
export function writeRows(
  path: string,
  rows: readonly Row[],
  mutants: readonly Mutant[],
  hunted: { readonly seedsMax: number; readonly commit: string },
): void {
  const page = readFileSync(path, 'utf8');
  const lines = linesOf(page);
  for (const row of rows) lines.set(row.mutant.id, rowText(row, hunted));
  const there = mutants.flatMap(({ id }) => lines.get(id) ?? []);
  const missed = there.filter((line) => missing.test(line)).length;
  const left = mutants.length - there.length;
  const head = [
    beginning,
    '',
    `${there.length - missed} of ${mutants.length} mutants were found in every round` +
      (left === 0 ? '.' : `; ${left} were not hunted yet.`),
    '',
    '| mutant | what is wrong with it | planted in | median seeds | most seeds | found by | rounds | at |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  const at = page.indexOf(beginning);
  writeFileSync(path, `${page.slice(0, at)}${[...head, ...there].join('\n')}\n`);
}

/** In the cell of the median: of so many rounds some did not find it. */
const missing = / \(\d+ of \d+\) \|/;

function rowText(
  { mutant, rounds, found, median, most, invariants }: Row,
  { seedsMax, commit }: { readonly seedsMax: number; readonly commit: string },
): string {
  const times = found === rounds ? String(median) : `${median ?? '-'} (${found} of ${rounds})`;
  const cells = [times, most ?? '-', invariants.join(', '), `${rounds} of ${seedsMax}`, commit];
  return `${beginningOf(mutant)}${cells.join(' | ')} |`;
}

function beginningOf({ id, breaks, file }: Mutant): string {
  return `| \`${id}\` | ${breaks} | ${file} | `;
}

/** The rows of the page, by the mutants' ids. */
function linesOf(page: string): Map<string, string> {
  const at = page.indexOf(beginning);
  if (at < 0) throw new Error(`The page has no line '${beginning}'`);
  const lines = page.slice(at).split('\n');
  return new Map(
    lines.flatMap((line) => {
      const id = /^\| `([^`]+)` \|/.exec(line)?.[1];
      return id === undefined ? [] : [[id, line]];
    }),
  );
}
