/** The command line as a user runs it: the program itself, in a process of its own. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../bin/weft', import.meta.url));
const outputBytesMax = 64 * 1024 * 1024;

export interface WeftResult {
  /** The exit status; null where a signal ended it. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Never rejects: what went wrong is in the status and in `err`. */
export function weft(args: readonly string[], socket = '/nonexistent'): Promise<WeftResult> {
  return new Promise((resolve) => {
    const env = { ...process.env, WEFT_SOCKET: socket };
    const options = { env, maxBuffer: outputBytesMax };
    const child = execFile(process.execPath, [program, ...args], options, (_error, out, err) => {
      resolve({ code: child.exitCode, out, err });
    });
  });
}
