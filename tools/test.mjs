/**
 * `npm test`: set-up, then every gate (lint, format, types of the tools) and every spec, and the counts of all of it.
 *
 *   node tools/test.mjs              everything
 *   node tools/test.mjs --unit       specs that need neither root nor a store, and no gate
 *   node tools/test.mjs PATTERN...   only specs whose path contains one of the patterns, and no gate
 *
 * Specs run in three processes, so that a crash in native code costs no result of the others: first the pure ones, which
 * keep every core busy; then those with hosts and those with stores beside each other, for both mostly wait. A process
 * that ends without a result, runs nothing or is kept open after its last test counts as a failure. A table says what
 * became of the log's contract on every store; a whole run in which it did not run on one of them fails. The last line is
 * `N passed, N failed, N skipped`, and the status is 0 only when nothing failed and something passed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addRows, contractTable, missingStores } from './contract-table.mjs';
import { filesBelow } from './setup/build.mjs';
import { root } from './setup/paths.mjs';
import { setUp } from './setup.mjs';

/** After the last test a process has this long to end by itself. */
const lingerMsMax = 15_000;

/** Commands whose status is a verdict. Each has known-bad files in test/architecture. */
const gates = [
  { name: 'lint', command: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'format', command: 'biome', args: ['check', '--error-on-warnings'] },
  { name: 'types of the tools', command: 'tsc', args: ['-p', 'tools'] },
  { name: 'dead files, exports and packages', command: 'knip', args: ['--no-progress'] },
];

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @type {Counts} */
const total = { passed: 0, failed: 0, skipped: 0 };
/** @type {Record<string, import('./contract-table.mjs').Row>} */
const contract = {};

async function main() {
  const args = process.argv.slice(2);
  const patterns = args.filter((arg) => !arg.startsWith('--'));
  setUp();
  if (args.length === 0) for (const gate of gates) await runGate(gate);
  const specs = filesBelow('dist').filter((file) => file.endsWith('.spec.js'));
  const chosen = specs.filter(
    (file) => patterns.length === 0 || patterns.some((part) => file.includes(part)),
  );
  const withHosts = chosen.filter((file) => file.endsWith('.root.spec.js'));
  const withStores = chosen.filter((file) => file.endsWith('.int.spec.js'));
  const onMachine = new Set([...withHosts, ...withStores]);
  await runSpecs(
    'pure specs',
    chosen.filter((file) => !onMachine.has(file)),
  );
  if (!args.includes('--unit'))
    await Promise.all([runSpecs('specs with hosts', withHosts), runSpecs('specs with stores', withStores)]);
  printContract(args.length === 0);
  if (total.passed + total.failed === 0) total.failed = 1;
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

/** @param {boolean} isWhole Every spec was to run, so no store may be left out. */
function printContract(isWhole) {
  if (Object.keys(contract).length > 0) process.stdout.write(`\n${contractTable(contract)}\n`);
  if (!isWhole) return;
  for (const store of missingStores(contract))
    total.failed += broken(`the contract of the event log did not run on ${store}`).failed;
}

/** @param {{ name: string, command: string, args: string[] }} gate */
async function runGate({ name, command, args }) {
  const startedAt = performance.now();
  const child = spawn(join(root, 'node_modules/.bin', command), args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [status] = await once(child, 'close');
  const isGood = status === 0;
  total[isGood ? 'passed' : 'failed'] += 1;
  const ms = Math.round(performance.now() - startedAt);
  process.stdout.write(`${isGood ? 'passed' : 'FAILED'}: ${name} (${ms} ms)\n${isGood ? '' : output}`);
}

/** @param {string} name @param {string[]} files */
async function runSpecs(name, files) {
  if (files.length === 0) return;
  process.stdout.write(`\n${name}: ${files.length} files\n`);
  const folder = mkdtempSync(join(tmpdir(), 'weft-test-'));
  try {
    const counts = await runMocha(files, join(folder, 'counts.json'));
    for (const key of /** @type {const} */ (['passed', 'failed', 'skipped'])) total[key] += counts[key];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string[]} files @param {string} countsPath
 * @returns {Promise<Counts>}
 */
async function runMocha(files, countsPath) {
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
  const child = spawn(process.execPath, [mocha, '--reporter', join(root, 'tools/reporter.cjs'), ...files], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, WEFT_TEST_COUNTS: countsPath },
  });
  const ended = once(child, 'close');
  const isLingering = await lingers(ended, countsPath);
  if (isLingering) child.kill('SIGKILL');
  const [status, signal] = await ended;
  if (!existsSync(countsPath)) return broken(`the process ended before its specs (${signal ?? status})`);
  const counts = JSON.parse(readFileSync(countsPath, 'utf8'));
  addRows(contract, counts.contract);
  if (counts.passed + counts.failed + counts.skipped === 0) return broken('no spec ran');
  if (isLingering) counts.failed += broken('something kept the process open after the last test').failed;
  else if (status !== 0 && counts.failed === 0)
    counts.failed += broken(`the process ended with ${signal ?? status}`).failed;
  return counts;
}

/**
 * Whether the process goes on living long after it has written its counts.
 *
 * @param {Promise<unknown>} ended @param {string} countsPath
 */
async function lingers(ended, countsPath) {
  const pollMs = 500;
  let doneSince;
  for (;;) {
    const tick = new Promise((resolve) => setTimeout(resolve, pollMs, 'tick'));
    if ((await Promise.race([ended, tick])) !== 'tick') return false;
    if (existsSync(countsPath)) doneSince ??= performance.now();
    if (doneSince !== undefined && performance.now() - doneSince > lingerMsMax) return true;
  }
}

/** @param {string} reason */
function broken(reason) {
  process.stdout.write(`  FAILED: ${reason}\n`);
  return { passed: 0, failed: 1, skipped: 0 };
}

main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.stdout.write(`\n${total.passed} passed, ${total.failed + 1} failed, ${total.skipped} skipped\n`);
  process.exitCode = 1;
});
