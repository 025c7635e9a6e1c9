/**
 * How `npm test` shows mocha's run: one line a passing file, every failure in full, every skipped test with its reason
 * (which tests put in their titles), and the counts, written to WEFT_TEST_COUNTS for `tools/test.mjs` to add up: those of
 * all tests, and those of the contract of the event log store by store.
 *
 * CommonJS, for mocha loads reporters by `require`.
 */
const { writeFileSync } = require('node:fs');
const path = require('node:path');
const { reporters, Runner } = require('mocha');

const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Runner.constants;

module.exports = class WeftReporter {
  /** @type {import('mocha').Test[]} */
  failures = [];
  /** @type {import('mocha').Test[]} */
  pending = [];
  passes = 0;
  /** @type {Record<string, import('./contract-table.mjs').Row>} */
  contract = {};
  /** @type {{ file: string, tests: number, ms: number } | undefined} */
  open = undefined;

  /** @param {import('mocha').Runner} runner */
  constructor(runner) {
    runner.on(EVENT_TEST_PASS, (test) => {
      this.passes += 1;
      this.rowOf(test, (row) => (row.passed += 1));
      this.count(test);
    });
    runner.on(EVENT_TEST_FAIL, (test, error) => {
      test.err ??= error;
      this.failures.push(test);
      this.rowOf(test, (row) => (row.failed += 1));
      this.count(test);
      console.log(`  FAILED ${test.fullTitle()}`);
    });
    runner.on(EVENT_TEST_PENDING, (test) => {
      this.pending.push(test);
      this.rowOf(test, (row) => (row.skipped[whyOf(test)] = (row.skipped[whyOf(test)] ?? 0) + 1));
      this.count(test);
    });
    runner.on(EVENT_RUN_END, () => this.finish());
  }

  /** Prints a file's line when the first test of another one arrives. @param {import('mocha').Test} test */
  count(test) {
    const file = nameOf(test.file);
    if (this.open !== undefined && this.open.file !== file) this.printOpen();
    this.open ??= { file, tests: 0, ms: 0 };
    this.open.tests += 1;
    this.open.ms += test.duration ?? 0;
  }

  /**
   * The row of a store, where the test is a case of the contract (`describeEventLog` names the suite).
   *
   * @param {import('mocha').Test} test @param {(row: import('./contract-table.mjs').Row) => void} change
   */
  rowOf(test, change) {
    const store = /^(.+): event log contract$/.exec(test.titlePath()[0] ?? '')?.[1];
    if (store !== undefined) change((this.contract[store] ??= { passed: 0, failed: 0, skipped: {} }));
  }

  printOpen() {
    if (this.open === undefined) return;
    console.log(`  ${this.open.file} (${this.open.tests}, ${Math.round(this.open.ms)} ms)`);
    this.open = undefined;
  }

  finish() {
    this.printOpen();
    if (this.failures.length > 0) reporters.Base.list(this.failures);
    for (const test of this.pending) console.log(`  skipped: ${reasonOf(test)}`);
    const { passes, failures, pending, contract } = this;
    const counts = { passed: passes, failed: failures.length, skipped: pending.length, contract };
    if (process.env.WEFT_TEST_COUNTS) writeFileSync(process.env.WEFT_TEST_COUNTS, JSON.stringify(counts));
  }
};

/** A test that names no reason is shown as such. @param {import('mocha').Test} test */
function reasonOf(test) {
  const title = test.fullTitle();
  return /skipped: |needs /.test(title) ? title : `${title} (no reason given)`;
}

/** @param {import('mocha').Test} test */
function whyOf(test) {
  const inTitle = /\(skipped: (.*)\)$/.exec(test.title) ?? /^skipped: (.*)$/.exec(test.title);
  return inTitle?.[1] ?? 'no reason given';
}

/** @param {string | undefined} file */
function nameOf(file) {
  return file === undefined
    ? '(no file)'
    : path
        .relative(process.cwd(), file)
        .replace(/^dist\//, '')
        .replace(/\.js$/, '.ts');
}
