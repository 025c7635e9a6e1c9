/**
 * A server of a store as a process: started, signalled by its own pid alone, ended with this process however that ends
 * (`setpriv --pdeathsig`), and its last words kept for the message when it fails.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const outputCharactersKept = 4_000;
const frozenPollMs = 1;

/** Folders of servers that run; removed when this process ends without having stopped them. */
const ownedFolders = new Set<string>();
process.once('exit', () => {
  for (const folder of ownedFolders) rmSync(folder, { recursive: true, force: true });
});

export class ServerProcess {
  readonly #name: string;
  readonly #netns: string | undefined;
  #child: ChildProcess | undefined;
  #output = '';

  /** @param netns a network namespace by its `ip netns` name */
  constructor(name: string, netns: string | undefined) {
    this.#name = name;
    this.#netns = netns;
  }

  /** Undefined while none is running. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The end of what it wrote. */
  get output(): string {
    return this.#output;
  }

  /** Starts it; does not wait for it to be ready. */
  launch(command: string, args: readonly string[]): void {
    if (this.#child !== undefined) throw new Error(`${this.#name} runs already`);
    const where = this.#netns === undefined ? [] : ['ip', 'netns', 'exec', this.#netns];
    const [first = '', ...rest] = [...where, 'setpriv', '--pdeathsig', 'KILL', command, ...args];
    const child = spawn(first, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-outputCharactersKept);
      });
    }
    child.once('error', (error) => {
      this.#output += error.message;
    });
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    this.#child = child;
  }

  /** SIGSTOP and SIGCONT freeze it, wholly when this resolves, and thaw it; after any other signal this waits for its end. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ends = signal !== 'SIGSTOP' && signal !== 'SIGCONT';
    const ended = ends ? once(child, 'exit') : undefined;
    child.kill(signal);
    await ended;
    if (signal === 'SIGSTOP') while (!isFrozen(child.pid)) await sleep(frozenPollMs);
  }
}

/** Whether every thread of a process stands, or it is gone: a signal is delivered to each when it next runs. See proc_pid_stat(5). */
function isFrozen(pid: number | undefined): boolean {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.every((task) =>
      /\) [TXZ] [^)]*$/.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8')),
    );
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return pid === undefined || !existsSync(`/proc/${pid}`);
    throw error;
  }
}

/** A folder of one's own below the system's temporary folder. */
export async function ownFolder(prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  ownedFolders.add(folder);
  return folder;
}

/** Removes it. Idempotent. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  ownedFolders.delete(folder);
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(address: string, count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, address);
    await once(server, 'listening');
    const bound = server.address();
    if (bound !== null && typeof bound === 'object') ports.push(bound.port);
  }
  await Promise.all(servers.map(async (server) => once(server.close(), 'close')));
  return ports;
}

/** Those of the commands that are not on the path. */
export function missingCommands(names: readonly string[]): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return names.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
}
