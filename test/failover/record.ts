/** Keeps the figures of a run in `docs/failover.md`: a row of the same store and fault gives way. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../architecture/checkout.ts';
import { faults } from './faults/list.ts';
import { allStores } from './stores.ts';
import { type Cells, columns, rowsIn, tableOf } from './table.ts';

const page = join(checkout, 'docs/failover.md');
const [begin, end] = ['<!-- figures of test:failover -->', '<!-- end of figures -->'];

export function recordRows(rows: readonly Cells[]): void {
  const text = readFileSync(page, 'utf8');
  const [before, table, after] = split(text);
  const merged = new Map([...rowsIn(table), ...rows].map((cells) => [cells.slice(0, 2).join(' '), cells]));
  const known = (names: readonly string[], index: number) => (cells: Cells) =>
    names.indexOf(cells[index] ?? '');
  const [store, fault] = [
    known(allStores, 0),
    known(
      faults.map(({ name }) => name),
      1,
    ),
  ];
  const sorted = [...merged.values()].toSorted((a, b) => store(a) - store(b) || fault(a) - fault(b));
  const legend = faults.map(({ name, what }) => `- **${name}**: ${what}.`).join('\n');
  const figures = [tableOf(sorted), boundOf(sorted), legend].join('\n\n');
  writeFileSync(page, `${before}${begin}\n\n${figures}\n\n${end}${after}`);
}

/** What seeing none of so many says of how often there may be one: the rule of three, at 95 %. */
function boundOf(rows: readonly Cells[]): string {
  const total = (column: (typeof columns)[number]) =>
    rows.reduce((sum, cells) => sum + (Number.parseInt(cells[columns.indexOf(column)] ?? '', 10) || 0), 0);
  const [acked, rounds] = [total('acked'), total('rounds')];
  const wrong = total('lost') + total('doubled') + total('reordered') + total('untrue');
  return (
    `Of ${acked} acked records in ${rounds} rounds ${wrong} were lost, doubled, reordered or told untruly. None in n bounds the ` +
    `rate by 3/n at 95 %: one record in ${Math.floor(acked / 3)}, one round in ${Math.floor(rounds / 3)}. Not less.`
  );
}

function split(text: string): [string, string, string] {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has no place for figures`);
  return [text.slice(0, from), text.slice(from + begin.length, to), text.slice(to + end.length)];
}
