/**
 * Step 2 of the set-up: the commands that the tests and the demo call, from Debian's packages.
 *
 * As root the missing ones are installed; otherwise the one command that would is printed, and what needs them is
 * skipped with that reason. No service is started: Debian's etcd-server would start one on installation, so the
 * installation runs under a `policy-rc.d` that forbids it, and the machine's own is put back afterwards.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Which package brings which command, or which file where it has no command. @type {Record<string, string>} */
const packageOf = {
  ip: 'iproute2',
  bridge: 'iproute2',
  ping: 'iputils-ping',
  tcpdump: 'tcpdump',
  // The library is what weft uses, the command what tests and people do.
  nft: 'nftables',
  [`/usr/lib/${multiarch()}/libnftables.so.1`]: 'libnftables1',
  etcd: 'etcd-server',
  etcdctl: 'etcd-client',
  java: 'default-jre-headless',
  '/usr/share/java/zookeeper.jar': 'zookeeper',
  // Specs only: a Docker beside weft, certificates, and the shells that completions are for.
  dockerd: 'docker.io',
  docker: 'docker.io',
  '/bin/busybox': 'busybox-static',
  openssl: 'openssl',
  zsh: 'zsh',
  fish: 'fish',
};

/** Where Debian puts libraries of this machine's kind. */
function multiarch() {
  return process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
}

const policy = '/usr/sbin/policy-rc.d';
const policySaved = `${policy}.saved-by-weft`;

/**
 * @param {(line: string) => void} say
 * @returns {{ installed: boolean, missing: string[] }}
 */
export function installDebianPackages(say) {
  restorePolicy();
  const missing = Object.keys(packageOf).filter((command) => !isOnPath(command));
  if (missing.length === 0) return { installed: false, missing };
  const packages = [...new Set(missing.map((command) => packageOf[command] ?? command))];
  if (!isOnPath('apt-get')) {
    say(`no ${missing.join(', ')}, and no apt-get to install them with: what needs them is skipped`);
    return { installed: false, missing };
  }
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  if (process.getuid?.() !== 0) {
    say(`no ${missing.join(', ')}: what needs them is skipped. To have them, run:`);
    say(`  sudo apt-get update && sudo apt-get ${install.join(' ')}`);
    return { installed: false, missing };
  }
  say(`installing ${packages.join(' ')} (apt-get)`);
  withoutServices(() => installWith(install));
  return { installed: true, missing: [] };
}

/** The lists are brought up to date only when the installation fails with those that are there. @param {string[]} install */
function installWith(install) {
  if (apt(install, 'ignore') === 0) return;
  if (apt(['update'], 2) !== 0) throw new Error('apt-get update failed; its own lines above say why');
  if (apt(install, 2) !== 0)
    throw new Error(`apt-get ${install.join(' ')} failed; its own lines above say why`);
}

/** @param {string[]} args @param {'ignore' | 2} output */
export function apt(args, output) {
  // A path without /usr/sbin makes dpkg refuse to work.
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
  const env = { ...process.env, PATH: path, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...args], {
    env,
    stdio: ['ignore', output, output],
  }).status;
}

/** @param {() => void} work */
export function withoutServices(work) {
  if (existsSync(policy)) renameSync(policy, policySaved);
  // Exit status 101 of policy-rc.d: the action is forbidden by policy (invoke-rc.d(8)).
  writeFileSync(policy, '#!/bin/sh\n# made by weft for one installation\nexit 101\n', { mode: 0o755 });
  try {
    work();
  } finally {
    rmSync(policy, { force: true });
    restorePolicy();
  }
}

/** Also after an installation that was cut off. */
function restorePolicy() {
  if (existsSync(policySaved)) renameSync(policySaved, policy);
}

/** @param {string} command */
export function isOnPath(command) {
  if (command.startsWith('/')) return existsSync(command);
  const folders = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`.split(':');
  return folders.some((folder) => folder !== '' && isExecutable(join(folder, command)));
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
