/**
 * Completes package-lock.json after `npm install`: a registry mirror that lacks the builds of a tool for systems other
 * than Linux makes npm leave them out of the lock, and `npm ci` then refuses it ("Missing: ... from lock file"),
 * everywhere. This adds them back by name, version and platform, which is all that `npm ci` needs to pass them over.
 *
 * Only exact versions can be filled in, which is how every tool here names its builds; anything else is reported.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const processors = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x'];

/** @typedef {{ version?: string, dev?: boolean, optional?: boolean, optionalDependencies?: Record<string, string> }} Entry */

/**
 * Adds what is missing to the parsed lock. Returns the names added and those that cannot be.
 *
 * @param {{ packages: Record<string, Entry> }} lock
 */
export function completeLock(lock) {
  /** @type {string[]} */
  const added = [];
  /** @type {string[]} */
  const refused = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`;
      if (lock.packages[key] !== undefined || lock.packages[`${path}/${key}`] !== undefined) continue;
      const platform = platformOf(name);
      if (platform === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
        refused.push(`${name}@${version}`);
        continue;
      }
      const dev = entry.dev === true ? { dev: true } : {};
      lock.packages[key] = { version, ...platform, ...dev, optional: true };
      added.push(name);
    }
  }
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
  );
  return { added, refused };
}

/** What a build's name says of where it runs; undefined when it names no system. @param {string} name */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined) return undefined;
  const isMusl = words.some((word) => word.startsWith('musl'));
  return { cpu: [cpu], ...(isMusl ? { libc: ['musl'] } : {}), os: [os] };
}

function main() {
  const path = fileURLToPath(new URL('../package-lock.json', import.meta.url));
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const { added, refused } = completeLock(lock);
  if (added.length > 0) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  process.stdout.write(`package-lock.json: ${added.length} builds for other systems added\n`);
  if (refused.length > 0) {
    process.stderr.write(`cannot complete: ${refused.join(', ')}\n`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
