/**
 * The table of passes per store: what became of the contract of the event log, one suite of cases that every store runs.
 *
 * `tools/reporter.cjs` counts, `tools/test.mjs` prints. A store whose server is not there has a row with the reason; one that
 * did not run at all has none in the counts, and that is a failure of a whole run: nobody must take silence for a pass.
 */

/** The stores that weft has, in the order of the table. What else runs the suite (models, other settings) comes below. */
const stores = ['memory', 'file', 'etcd', 'consul', 'zookeeper'];

/** @typedef {{ passed: number, failed: number, skipped: Record<string, number> }} Row What was skipped, by its reason. */

/**
 * Adds the counts of one process to those of the others.
 *
 * @param {Record<string, Row>} rows @param {Record<string, Row>} more
 */
export function addRows(rows, more) {
  for (const [store, row] of Object.entries(more)) {
    const sum = (rows[store] ??= { passed: 0, failed: 0, skipped: {} });
    sum.passed += row.passed;
    sum.failed += row.failed;
    for (const [reason, count] of Object.entries(row.skipped))
      sum.skipped[reason] = (sum.skipped[reason] ?? 0) + count;
  }
}

/** The stores that have no row. @param {Record<string, Row>} rows @returns {string[]} */
export function missingStores(rows) {
  return stores.filter((store) => rows[store] === undefined);
}

/** @param {Record<string, Row>} rows @returns {string} */
export function contractTable(rows) {
  const others = Object.keys(rows).filter((store) => !stores.includes(store));
  const lines = [...stores, ...others].map((store) => cellsOf(store, rows[store]));
  const cells = [['store', 'passed', 'failed', 'skipped (why)'], ...lines];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const text = cells.map((row) =>
    row.map((cell, column) => pad(cell, widths[column] ?? 0, column === 1 || column === 2)).join(' | '),
  );
  return ['the contract of the event log, the same cases for every store:', ...text].join('\n');
}

/** @param {string} store @param {Row | undefined} row */
function cellsOf(store, row) {
  if (row === undefined) return [store, '-', '-', 'did not run'];
  const reasons = Object.entries(row.skipped).map(([reason, count]) => `${count} (${reason})`);
  return [store, String(row.passed), String(row.failed), reasons.length === 0 ? '0' : reasons.join(', ')];
}

/** @param {string} cell @param {number} width @param {boolean} isNumber */
function pad(cell, width, isNumber) {
  return isNumber ? cell.padStart(width) : cell.padEnd(width);
}
