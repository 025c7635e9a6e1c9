/** Another process that appends to a file log (`test/support/file-log-writer.ts`), and what it was acked. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../support/file-log-writer.js', import.meta.url));

export class WriterProcess {
  /** Positions of acked entries by their ids. */
  readonly acked = new Map<string, string>();
  readonly firstAck: Promise<void>;
  /** Its exit status; null where it was killed. */
  readonly ended: Promise<number | null>;
  /** What it says of a failure. */
  errors = '';
  readonly #child: ChildProcess;

  /** @param as numeric user and group that it runs as; ours where absent */
  constructor(directory: string, appends: number, as?: number) {
    const self = [process.execPath, program, directory, String(appends)];
    const user = as === undefined ? [] : ['--reuid', String(as), '--regid', String(as), '--clear-groups'];
    this.#child = spawn('setpriv', [...user, '--pdeathsig', 'KILL', ...self], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('The process has no output');
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.firstAck = new Promise((resolve) => {
      createInterface({ input: stdout }).on('line', (line) => {
        const [word, id = '', position = ''] = line.split(' ');
        if (word !== 'ack') return;
        this.acked.set(id, position);
        resolve();
      });
    });
    this.ended = once(this.#child, 'close').then(([code]) => code as number | null);
  }

  /** Resolves when it is gone. Idempotent. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}
