/** A real daemon on the store of a trial: its process, what it says, and that it gives no secret away. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { Client } from '../../api/client.ts';
import { run, weftCommand } from '../../lab/command.ts';
import type { Trial } from './trial.ts';

/** Of the process that is in the network of the servers (`lab/server-network.ts`). */
const address = '192.168.2.250';

export class RealDaemon {
  readonly client: Client;
  /** Its exit status; null where it was killed. */
  readonly ended: Promise<number | null>;
  /** All that it has said. */
  output = '';
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #socket: string;
  #bundles = 0;

  /** @param settings lines of its configuration file: names of files with secrets */
  static async start(trial: Trial, url: string, settings: string): Promise<RealDaemon> {
    const config = join(trial.folder, 'weft.yaml');
    await writeFile(config, `store: ${url}\n${settings}`);
    await chmod(config, 0o600);
    const daemon = new RealDaemon(trial, config);
    trial.atEnd(() => daemon.stop());
    return daemon;
  }

  private constructor(trial: Trial, config: string) {
    this.#folder = trial.folder;
    const socket = join(trial.folder, 'weft.sock');
    this.#socket = socket;
    const place = ['--data-dir', join(trial.folder, 'data'), '--socket', socket];
    const host = ['--host', 'h1', '--advertise', address, '--netns-prefix', `${trial.network.prefix}d-`];
    const args = ['--pdeathsig', 'KILL', weftCommand, 'daemon', '--config', config, ...place, ...host];
    this.#child = spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.ended = once(this.#child, 'close').then(([code]) => code as number | null);
    this.client = new Client({ socket });
  }

  /** Neither in what it said, nor in what it was started with. */
  assertNoSecrets(secrets: readonly string[]): void {
    const started = ['cmdline', 'environ'].map((name) => this.#read(name));
    for (const text of [this.output, ...started]) assertNoneIn(text, secrets);
  }

  /** Nor in what it answers to whom it may, in a bundle of it, or in its refusal of a URL with a password. */
  async assertAnswersNoSecrets(secrets: readonly string[]): Promise<void> {
    const [secret = ''] = secrets;
    const bundle = join(this.#folder, `bundle-${(this.#bundles += 1)}.gz`);
    const verbs = [['status'], ['doctor'], ['store', 'status'], ['log'], ['bundle', '-o', bundle]];
    const texts = verbs.map((verb) => this.#weft(['--format', 'json', ...verb]));
    const refusal = this.#weft(['store', 'copy', '--to', `etcd://weft:${secret}@h/weft`]);
    for (const text of [...(await Promise.all(texts)), await refusal]) assertNoneIn(text, secrets);
    assertNoneIn(gunzipSync(await readFile(bundle)).toString(), secrets);
  }

  /** All that a verb says, however it ends. */
  async #weft(args: readonly string[]): Promise<string> {
    const env = { WEFT_SOCKET: this.#socket };
    const { stdout, stderr } = await run(weftCommand, args, { allowFailure: true, env });
    return `${stdout}${stderr}`;
  }

  /** Waits until it has said such a thing; the round's own limit ends the wait. */
  async untilSaid(what: RegExp): Promise<void> {
    while (!what.test(this.output)) await sleep(50);
  }

  /** The round's own limit ends the wait. */
  async untilRunning(): Promise<void> {
    while ((await this.client.call('status')).phase !== 'running') await sleep(50);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.ended;
  }

  /** Of `/proc`; empty once it has ended. */
  #read(name: string): string {
    try {
      return readFileSync(`/proc/${this.#child.pid}/${name}`, 'utf8');
    } catch {
      return '';
    }
  }
}

export function assertNoneIn(text: string, secrets: readonly string[]): void {
  for (const secret of secrets) assert.ok(!text.includes(secret), 'a secret is given away');
}
