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

/** Replaces the generated part of the page. */
export function writePage(path: string, rows: readonly Row[], summary: string): void {
  const page = readFileSync(path, 'utf8');
  const at = page.indexOf(beginning);
  if (at < 0) throw new Error(`${path} has no line '${beginning}'`);
  const lines = rows.map(({ mutant, rounds, found, median, most, invariants }) => {
    const times = found === rounds ? String(median) : `${median ?? '-'} (${found} of ${rounds})`;
    const cells = [`\`${mutant.id}\``, mutant.breaks, mutant.file, times, most ?? '-', invariants.join(', ')];
    return `| ${cells.join(' | ')} |`;
  });
  const head = [
    beginning,
    '',
    summary,
    '',
    '| mutant | what is wrong with it | planted in | median seeds | most seeds | found by |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  writeFileSync(path, `${page.slice(0, at)}${[...head, ...lines].join('\n')}\n`);
}
