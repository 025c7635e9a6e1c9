/** Names and values, a line each, the values in one column, and nothing that a terminal would obey. */
import { printable } from './table.ts';

export function formatLines(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([name]) => name.length)) + 1;
  return lines.map(([name, value]) => `${`${name}:`.padEnd(width)} ${printable(value)}\n`).join('');
}
