/**
 * Step 2b of the set-up: Consul, for the specs and the demo that need a real one.
 *
 * A `consul` on the path is used as it is. Debian carried it last in bullseye (1.8), so the suite is added from the mirror
 * that this machine's own apt sources name, under a pin that lets nothing but that one package come from it. Where that
 * cannot be had, nothing of it stays behind, what needs Consul is skipped with the reason, and no later run
 * tries again before the sources have changed or a day has passed.
 *
 * `sudo node tools/setup/consul.mjs` is this step alone.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apt, isOnPath, withoutServices } from './debian.mjs';
import { root } from './paths.mjs';

const suite = 'bullseye';
const sourcesFile = '/etc/apt/sources.list.d/weft-consul.sources';
const pinFile = '/etc/apt/preferences.d/weft-consul';
/** Says that it was tried in vain, and with which sources. Inside node_modules, so that removing them removes it too. */
const failureStamp = join(root, 'node_modules', '.weft-no-consul');
const retryAfterMs = 24 * 3600 * 1000;

/** A specific pin wins over a general one (apt_preferences(5)). */
const pin = `Explanation: added by weft's set-up: only consul comes from ${suite}
Package: *
Pin: release n=${suite}
Pin-Priority: -1

Explanation: added by weft's set-up
Package: consul
Pin: release n=${suite}
Pin-Priority: 500
`;

/**
 * @param {(line: string) => void} say
 * @returns {{ installed: boolean, missing: string[] }}
 */
export function installConsul(say) {
  if (isOnPath('consul')) return { installed: false, missing: [] };
  const failed = { installed: false, missing: ['consul'] };
  if (!isOnPath('apt-get')) {
    say('no consul, and no apt-get to install it with: what needs it is skipped');
    return failed;
  }
  if (process.getuid?.() !== 0) {
    say('no consul: what needs it is skipped. To have it, run:');
    say(`  sudo node ${fileURLToPath(import.meta.url)}`);
    return failed;
  }
  const archives = readArchives('/etc/apt');
  const tried = fingerprint(archives);
  if (wasInVain(tried)) return failed;
  say(`installing consul (apt-get, from Debian's ${suite} where no other suite has it)`);
  const problem = tryInstall(archives);
  if (problem === undefined) return { installed: true, missing: [] };
  say(`no consul: ${problem}; what needs it is skipped`);
  mkdirSync(dirname(failureStamp), { recursive: true });
  writeFileSync(failureStamp, tried);
  return failed;
}

/** @param {Archive[]} archives @returns {string | undefined} why it cannot be had */
function tryInstall(archives) {
  const install = ['install', '-y', '--no-install-recommends', 'consul'];
  // From a suite that the machine has anyway.
  if (installQuietly(install)) return undefined;
  const archive = mirrorOf(archives, codename());
  if (archive === undefined) return 'the apt sources name no Debian mirror';
  writeFileSync(sourcesFile, sourcesFor(archive));
  writeFileSync(pinFile, pin);
  // Only the new list: the others are as they were, and a mirror of theirs that is down is no matter here.
  const only = ['-o', `Dir::Etc::SourceList=${sourcesFile}`, '-o', 'Dir::Etc::SourceParts=-'];
  const update = [...only, '-o', 'APT::Get::List-Cleanup=0', '-o', 'APT::Update::Error-Mode=any', 'update'];
  if (apt(update, 'ignore') === 0 && installQuietly(install)) return undefined;
  rmSync(sourcesFile, { force: true });
  rmSync(pinFile, { force: true });
  return `${archive.uris.join(' ')} has no ${suite} with consul in it`;
}

/** @param {string[]} install */
function installQuietly(install) {
  let status;
  withoutServices(() => {
    status = apt(install, 'ignore');
  });
  return status === 0 && isOnPath('consul');
}

/** One stanza of apt's sources. @typedef {{ uris: string[], suites: string[], options: string[] }} Archive */

/**
 * All archives of binary packages that apt reads, from both kinds of files (sources.list(5)).
 *
 * @param {string} folder apt's, `/etc/apt`
 * @returns {Archive[]}
 */
export function readArchives(folder) {
  const parts = join(folder, 'sources.list.d');
  const names = existsSync(parts) ? readdirSync(parts).toSorted() : [];
  const files = [join(folder, 'sources.list'), ...names.map((name) => join(parts, name))];
  return files.flatMap((file) => {
    if (!existsSync(file) || file === sourcesFile) return [];
    if (file.endsWith('.list')) return readFileSync(file, 'utf8').split('\n').flatMap(parseLine);
    if (!file.endsWith('.sources')) return [];
    return readFileSync(file, 'utf8')
      .split(/\n[ \t]*\n/)
      .flatMap(parseStanza);
  });
}

/** `deb [signed-by=/key arch=amd64] http://mirror/debian bookworm main` @param {string} line @returns {Archive[]} */
function parseLine(line) {
  const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)/.exec(line);
  if (match?.[2] === undefined || match[3] === undefined) return [];
  const options = (match[1] ?? '').split(/\s+/).flatMap((option) => {
    const [name = '', value = ''] = option.split(/=(.*)/);
    return name.toLowerCase() === 'signed-by' ? [`Signed-By: ${value}`] : [];
  });
  return [{ uris: [match[2]], suites: [match[3]], options }];
}

/** deb822. A field goes on in lines that begin with a blank. @param {string} text @returns {Archive[]} */
function parseStanza(text) {
  /** @type {Map<string, string>} */
  const fields = new Map();
  let last = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    const match = /^([^\s:]+):(.*)$/.exec(line);
    if (match?.[1] !== undefined) last = match[1].toLowerCase();
    const value = match?.[2] ?? line;
    if (last !== '') fields.set(last, `${fields.has(last) ? `${fields.get(last)}\n` : ''}${value}`);
  }
  /** @param {string} name */
  const words = (name) => (fields.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
  if (!words('types').includes('deb') || words('enabled')[0] === 'no') return [];
  const signedBy = fields.get('signed-by')?.trim();
  const options = signedBy === undefined ? [] : [`Signed-By: ${signedBy}`];
  return [{ uris: words('uris'), suites: words('suites'), options }];
}

/**
 * The archive that the machine's own release comes from.
 *
 * @param {Archive[]} archives
 * @param {string} release its code name
 */
export function mirrorOf(archives, release) {
  return archives.find(({ suites, uris }) => suites.includes(release) && uris.length > 0);
}

/** @param {Archive} archive */
export function sourcesFor(archive) {
  const lines = ['Types: deb', `URIs: ${archive.uris.join(' ')}`, `Suites: ${suite}`, 'Components: main'];
  return `# added by weft's set-up, for consul alone\n${[...lines, ...archive.options].join('\n')}\n`;
}

function codename() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(release)?.[1] ?? 'stable';
}

/** @param {Archive[]} archives */
function fingerprint(archives) {
  return createHash('sha256').update(JSON.stringify(archives)).digest('hex');
}

/** @param {string} tried */
function wasInVain(tried) {
  if (!existsSync(failureStamp) || readFileSync(failureStamp, 'utf8') !== tried) return false;
  return Date.now() - statSync(failureStamp).mtimeMs < retryAfterMs;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(failureStamp, { force: true });
  const { missing } = installConsul((line) => process.stderr.write(`set-up: ${line}\n`));
  process.exitCode = missing.length === 0 ? 0 : 1;
}
