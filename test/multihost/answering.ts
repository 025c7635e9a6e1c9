/** Who answers at a port: programs in sandboxes that listen there, and questions from anywhere. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { run } from '../../lab/command.ts';

const answeringProgram = fileURLToPath(new URL('../support/answering-process.js', import.meta.url));
const datagramsProgram = fileURLToPath(new URL('../support/datagrams-process.js', import.meta.url));
const askSeconds = '2';
/** Bash opens `/dev/tcp/HOST/PORT` itself; its own `read` takes one byte at a time, of datagrams the first. */
const question = 'exec 3<>"/dev/$1/$2/$3" && echo >&3 && head -n 1 <&3';

export interface Answering {
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Listens in a namespace by TCP and UDP; resolves when it does. */
export async function startAnswering(
  netns: string,
  name: string,
  ...ports: readonly number[]
): Promise<Answering> {
  const child = inNamespace(netns, answeringProgram, [name, ...ports.map(String)]);
  const lines = createInterface({ input: child.stdout });
  await Promise.race([
    once(lines, 'line'),
    once(child, 'close').then(() => {
      throw new Error(`${name} does not listen at ${ports.join(', ')}`);
    }),
  ]);
  return { stop: () => ended(child) };
}

/** Who answers, and whom it sees: `NAME ADDRESS`. Undefined: nobody. */
export async function ask(
  netns: string,
  protocol: 'tcp' | 'udp',
  address: string,
  port: number,
): Promise<string | undefined> {
  const asked = ['timeout', askSeconds, 'bash', '-c', question, 'ask', protocol, address, String(port)];
  const { code, stdout } = await run('ip', ['netns', 'exec', netns, ...asked], { allowFailure: true });
  return code === 0 && stdout !== '' ? stdout.trim() : undefined;
}

export interface Datagrams extends Answering {
  /** The answers so far, oldest first. */
  readonly answers: readonly string[];
}

/** One flow of datagrams that never pauses. */
export function startDatagrams(netns: string, address: string, port: number): Datagrams {
  const child = inNamespace(netns, datagramsProgram, [address, String(port)]);
  const answers: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => answers.push(line));
  return { answers, stop: () => ended(child) };
}

/** Ends with the process that started it. */
function inNamespace(netns: string, script: string, args: readonly string[]) {
  const command = ['setpriv', '--pdeathsig', 'KILL', process.execPath, script, ...args];
  return spawn('ip', ['netns', 'exec', netns, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}
