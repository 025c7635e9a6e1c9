/** `npm run bench [-- WORD...]`: set-up, then each benchmark in a process of its own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { filesBelow } from './setup/build.mjs';
import { root } from './setup/paths.mjs';
import { setUp } from './setup.mjs';

setUp();
const words = process.argv.slice(2);
const files = filesBelow('dist/benchmarks').filter((file) => file.endsWith('.bench.js'));
const chosen = files.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
if (chosen.length === 0) throw new Error(`no benchmark of that name; there are ${files.join(', ')}`);
for (const file of chosen) {
  process.stdout.write(`\n== ${file.replace('dist/', '').replace(/\.js$/, '.ts')}\n`);
  const { status } = spawnSync(process.execPath, [join(root, file)], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
