/**
 * `npm run properties`: set-up, then only the specs that have properties, from a random seed and for long. What fails
 * says its seed and its path; with `--seed` it is the same again.
 *
 *   npm run properties                      each property 20 times as often as in `npm test`
 *   npm run properties -- --runs 200        200 times as often
 *   npm run properties -- --seed 7          from that seed; `random` is the default
 *   npm run properties -- diff.spec         only specs whose path contains one of the words
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { filesBelow } from './setup/build.mjs';
import { root } from './setup/paths.mjs';
import { setUp } from './setup.mjs';

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '20' }, seed: { type: 'string', default: 'random' } },
  allowPositionals: true,
});
setUp();
const specs = filesBelow('dist').filter((file) => file.endsWith('.spec.js') && hasProperties(file));
const chosen = specs.filter(
  (file) => positionals.length === 0 || positionals.some((word) => file.includes(word)),
);
if (chosen.length === 0)
  throw new Error(`no spec of that name has properties; there are ${specs.join(', ')}`);
const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
const { status } = spawnSync(process.execPath, [mocha, '--reporter', 'dot', ...chosen], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, WEFT_PROPERTY_RUNS: values.runs, WEFT_PROPERTY_SEED: values.seed },
});
process.exitCode = status ?? 1;

/** Specs of the machine are left out: there it is not the seed that decides. @param {string} file */
function hasProperties(file) {
  return (
    !/\.(root|int)\.spec\.js$/.test(file) && readFileSync(join(root, file), 'utf8').includes("'fast-check'")
  );
}
