/** Real commands, run without a shell. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The CLI of this checkout: this file runs from `dist/lab`. */
export const weftCommand: string = fileURLToPath(new URL('../../bin/weft', import.meta.url));

export interface CommandResult {
  /** Exit status; 128 and the signal's number where a signal ended it, as shells say it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** A status other than zero is an answer, not an error. */
  readonly allowFailure?: boolean;
  readonly timeoutMs?: number;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const commandTimeoutMs = 30_000;
const outputBytesMax = 64 * 1024 * 1024;

/**
 * Runs a command to its end.
 *
 * @throws Error that names the command, its status and what it said, unless failure is allowed; always when it cannot
 *   be started or does not end in time
 */
export function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...args],
      {
        timeout: options.timeoutMs ?? commandTimeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: outputBytesMax,
        env: { ...process.env, ...options.env },
      },
      (error, stdout, stderr) => {
        const text = [command, ...args].join(' ');
        if (error === null) return resolve({ code: 0, stdout, stderr });
        if (error.killed === true) return reject(new Error(`${text} did not end in time`));
        if (typeof error.code !== 'number' && error.signal === undefined) {
          return reject(new Error(`${text} cannot be started: ${error.message}`));
        }
        const code = typeof error.code === 'number' ? error.code : 128;
        if (options.allowFailure === true) return resolve({ code, stdout, stderr });
        reject(new Error(`${text} exited with ${code}: ${(stderr || stdout).trim()}`));
      },
    );
    child.stdin?.on('error', () => {
      // A command that ends without reading its input; its status says how it went.
    });
    child.stdin?.end(options.input ?? '');
  });
}

/** Many `ip` commands as one process, in a namespace or, without one, in the caller's. Stops at the first failure. */
export async function ip(netns: string | undefined, lines: readonly string[]): Promise<void> {
  const where = netns === undefined ? [] : ['-n', netns];
  await run('ip', [...where, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
