/**
 * Who owns what on the machine: a lab claims a prefix, and everything that it makes bears it.
 *
 * The claim is a file with the owner's process and the processes that it started, so that a lab whose owner was killed
 * can be cleared away by the next one that wants the prefix, and so that nothing else is ever touched. Everything here
 * is synchronous: it also runs while the process is exiting.
 */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const claimsFolder = '/run/weft-lab';
const namespacesFolder = '/run/netns';
/** `ip netns exec` binds the files below `/etc/netns/NAME` over those in `/etc`. */
const namespaceFilesFolder = '/etc/netns';
/** A daemon's locks by its prefix of namespaces, which is the lab's and more. They hold nothing once it is dead. */
const locksFolder = '/run/weft';
const lockNameStart = 'netns-';

export interface Claim {
  readonly prefix: string;
  /** An empty folder of the lab's own. Short, for a unix socket's path has 107 characters at most. */
  readonly folder: string;
  /** Notes a process, to be killed with the lab. */
  addProcess(pid: number): void;
  /** Kills and removes all that bears the prefix. Idempotent. */
  release(): void;
}

/**
 * Claims the first prefix that no living process holds, clearing away what a dead one left behind.
 *
 * @throws Error when living processes hold them all
 */
export function claimPrefix(candidates: readonly string[]): Claim {
  mkdirSync(claimsFolder, { recursive: true });
  const prefix = candidates.find((candidate) => take(candidate));
  if (prefix === undefined)
    throw new Error(`Labs are running under every prefix of ${candidates.join(', ')}`);
  const folder = folderOf(prefix);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return {
    prefix,
    folder,
    addProcess: (pid) => appendFileSync(claimPath(prefix), `${identityOf(pid) ?? ''}\n`),
    release: () => sweep(prefix),
  };
}

/** What still bears the prefix: namespaces, their files, processes and the claim itself. Empty when all is gone. */
export function leftovers(prefix: string): string[] {
  const processes = claimedProcesses(prefix).filter((pid) => pid !== process.pid);
  return [
    ...namesIn(namespacesFolder, prefix).map((name) => `namespace ${name}`),
    ...namesIn(namespaceFilesFolder, prefix).map((name) => `${namespaceFilesFolder}/${name}`),
    ...namesIn(locksFolder, lockNameStart + prefix).map((name) => `${locksFolder}/${name}`),
    ...processes.map((pid) => `process ${pid}`),
    ...(existsSync(folderOf(prefix)) ? [folderOf(prefix)] : []),
    ...(existsSync(claimPath(prefix)) ? [claimPath(prefix)] : []),
  ];
}

function take(prefix: string): boolean {
  if (tryWrite(prefix)) return true;
  const [owner] = readFileSync(claimPath(prefix), 'utf8').split('\n');
  if (owner !== undefined && isAlive(owner)) return false;
  sweep(prefix);
  return tryWrite(prefix);
}

function tryWrite(prefix: string): boolean {
  try {
    writeFileSync(claimPath(prefix), `${identityOf(process.pid) ?? ''}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function sweep(prefix: string): void {
  for (const pid of claimedProcesses(prefix)) {
    if (pid !== process.pid) process.kill(pid, 'SIGKILL');
  }
  const namespaces = namesIn(namespacesFolder, prefix);
  if (namespaces.length > 0) {
    const input = namespaces.map((name) => `netns del ${name}\n`).join('');
    execFileSync('ip', ['-force', '-batch', '-'], { input, stdio: ['pipe', 'ignore', 'ignore'] });
  }
  for (const name of namesIn(namespaceFilesFolder, prefix)) {
    rmSync(join(namespaceFilesFolder, name), { recursive: true, force: true });
  }
  for (const name of namesIn(locksFolder, lockNameStart + prefix)) {
    rmSync(join(locksFolder, name), { force: true });
  }
  rmSync(folderOf(prefix), { recursive: true, force: true });
  rmSync(claimPath(prefix), { force: true });
}

/** The claim's processes that live, the owner's own among them. */
function claimedProcesses(prefix: string): number[] {
  if (!existsSync(claimPath(prefix))) return [];
  const lines = readFileSync(claimPath(prefix), 'utf8').split('\n');
  return lines.filter((line) => isAlive(line)).map((line) => Number(line.split(' ')[0]));
}

/** `PID STARTED`, the start in clock ticks since boot: tells a process from a later one of the same number. */
function identityOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses, which may hold anything; 22 is the start (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : `${pid} ${fields[22 - 3]}`;
  } catch {
    return undefined;
  }
}

function isAlive(identity: string): boolean {
  const pid = Number(identity.split(' ')[0]);
  return pid > 0 && identityOf(pid) === identity;
}

function namesIn(folder: string, prefix: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(prefix)) : [];
}

function claimPath(prefix: string): string {
  return join(claimsFolder, prefix);
}

function folderOf(prefix: string): string {
  return `/tmp/weft-lab-${prefix.replace(/-$/, '')}`;
}
