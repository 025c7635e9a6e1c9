/**
 * Step 3 of the set-up: `tsc -b`, when a source is not as it was at the last good build. Outputs whose source is gone
 * are removed, for the compiler leaves them and a deleted spec would go on running.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, sourceFolders } from './paths.mjs';

const dist = join(root, 'dist');
const stamp = join(dist, '.weft-built');
const outputSuffixes = ['.js', '.js.map', '.d.ts', '.d.ts.map'];

/**
 * @param {(line: string) => void} say
 * @returns {boolean} whether anything was done
 */
export function build(say) {
  const before = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === before) return false;
  say('building (tsc -b)');
  removeOrphans();
  const result = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0) throw new Error('the build failed; the compiler says why above');
  mkdirSync(dist, { recursive: true });
  // Taken before the build: what was changed during it is built again next time.
  writeFileSync(stamp, before);
  return true;
}

/** Names, sizes and times of everything that the compiler reads. */
function fingerprint() {
  const hash = createHash('sha256');
  const configuration = ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json'];
  const sources = sourceFolders.flatMap((folder) => filesBelow(folder));
  for (const path of [...configuration, ...sources.filter((file) => /\.ts$|tsconfig.*\.json$/.test(file))]) {
    const { mtimeMs, size } = statSync(join(root, path));
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

function removeOrphans() {
  for (const file of filesBelow('dist')) {
    const suffix = outputSuffixes.find((ending) => file.endsWith(ending));
    if (suffix === undefined) continue;
    const source = `${file.slice('dist/'.length, -suffix.length)}.ts`;
    if (!existsSync(join(root, source))) rmSync(join(root, file), { force: true });
  }
}

/**
 * Paths of all files below a folder of the checkout, relative to the checkout, in a fixed order.
 *
 * @param {string} folder
 * @returns {string[]}
 */
export function filesBelow(folder) {
  /** @type {string[]} */
  const found = [];
  const entries = existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { withFileTypes: true })
    : [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name === 'node_modules') continue;
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...filesBelow(path));
    else found.push(path);
  }
  return found;
}
