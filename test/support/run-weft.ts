/** `bin/weft` as users run it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const weftProgram = fileURLToPath(new URL('../../../bin/weft', import.meta.url));

export interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** What a user would see of `bin/weft`, with these arguments, variables beside the test's own, and input. */
export function runWeft(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
): Promise<Result> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, WEFT_SOCKET: undefined, ...env } };
    const child = execFile(process.execPath, [weftProgram, ...args], options, (_error, out, err) => {
      resolve({ code: child.exitCode, out, err });
    });
    child.stdin?.end(input);
  });
}
