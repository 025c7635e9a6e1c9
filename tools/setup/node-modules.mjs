/** Step 1 of the set-up: node modules as package-lock.json says, by `npm ci`. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/** Inside node_modules, so that removing them removes it too. */
const stamp = join(root, 'node_modules', '.weft-installed');

/**
 * @param {(line: string) => void} say
 * @returns {boolean} whether anything was done
 */
export function installNodeModules(say) {
  const wanted = hashOfLock();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return false;
  say('installing node modules (npm ci)');
  // Scripts stay off: no dependency needs one, the native parts come prebuilt inside their packages.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) throw new Error('npm ci failed; its own lines above say why');
  writeFileSync(stamp, wanted);
  return true;
}

/** Of both files: `npm ci` refuses a lock that is not in step with package.json. */
function hashOfLock() {
  const hash = createHash('sha256');
  hash.update(readFileSync(join(root, 'package-lock.json')));
  const { dependencies, devDependencies, overrides } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  return hash.update(JSON.stringify({ dependencies, devDependencies, overrides })).digest('hex');
}
