/**
 * Everything between a fresh clone and a working tree: node modules, Debian packages, the build. `npm run setup` is
 * this file alone; `npm test` and `npm run demo` run it first.
 *
 * Plain JavaScript on Node's own library, because it runs before anything is installed. Idempotent: each step looks at
 * what it would change (a hash, a command on the path, the sources' times) and does nothing when that is in order, so
 * that a second run takes a fraction of a second.
 */
import { fileURLToPath } from 'node:url';
import { build } from './setup/build.mjs';
import { installConsul } from './setup/consul.mjs';
import { installDebianPackages } from './setup/debian.mjs';
import { installNodeModules } from './setup/node-modules.mjs';

const nodeVersionMin = { major: 20, minor: 19 };

/**
 * Runs the three steps. Lines about what is done go to standard error, so that a caller's output stays its own.
 *
 * @returns {{ missing: string[] }} commands that are still missing because only root can install them
 * @throws {Error} one line that says which step failed
 */
export function setUp() {
  checkNode();
  const startedAt = performance.now();
  const didModules = installNodeModules(say);
  const debian = installDebianPackages(say);
  const consul = installConsul(say);
  const didBuild = build(say);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const isIdle = !didModules && !debian.installed && !consul.installed && !didBuild;
  say(isIdle ? `nothing to do (${seconds} s)` : `done (${seconds} s)`);
  return { missing: [...debian.missing, ...consul.missing] };
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const min = nodeVersionMin;
  if (major > min.major || (major === min.major && minor >= min.minor)) return;
  throw new Error(`Node ${process.versions.node} is too old; weft needs ${min.major}.${min.minor} or newer`);
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    setUp();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
