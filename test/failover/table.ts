/** The rows of a run as a table of Markdown, which is also how they are kept in `docs/failover.md`. */
import type { Judgement } from './judge.ts';
import type { Row } from './run.ts';

/** Of the table; the first two name a row. */
export const columns = [
  ...['store', 'fault', 'rounds', 'acked', 'unknown', 'of them applied', 'failed'],
  ...['lost', 'doubled', 'reordered', 'untrue', 'write gap p50', 'p99', 'commit'],
] as const;

/** A row's cells, in the order of the columns. */
export type Cells = readonly string[];

/** @param commit of the code that ran */
export function cellsOf(row: Row, commit: string): Cells {
  const { store, fault, rounds, judgements, failures } = row;
  const good = rounds - failures.length;
  const sum = (key: NumericKey): string =>
    judgements.length === 0 ? '' : String(judgements.reduce((total, each) => total + each[key], 0));
  const gaps = judgements.flatMap(({ gapMs }) => (gapMs === undefined ? [] : [gapMs]));
  return [
    ...[store, fault, good === rounds ? String(rounds) : `${good} good of ${rounds}`],
    ...[sum('acked'), sum('unknown'), sum('unknownApplied'), sum('failed')],
    ...[sum('lost'), sum('doubled'), sum('reordered'), sum('untrue')],
    ...[secondsOf(quantile(gaps, 0.5)), secondsOf(quantile(gaps, 0.99)), commit],
  ];
}

type NumericKey = Exclude<keyof Judgement, 'gapMs' | 'complaints'>;

export function tableOf(rows: readonly Cells[]): string {
  const lines = [columns, columns.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The rows of a table that `tableOf` made. */
export function rowsIn(table: string): Cells[] {
  const lines = table.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(2).map((line) => line.slice(2, -2).split(' | '));
}

/** Nearest rank: of few values the 99th of a hundred is the longest. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)];
}

function secondsOf(ms: number | undefined): string {
  return ms === undefined ? '' : `${(ms / 1_000).toFixed(2)} s`;
}
