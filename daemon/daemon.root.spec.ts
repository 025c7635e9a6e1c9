/** A whole daemon as a process: `weft daemon`, its signals, its locks, and a store that is not there. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdtemp, readFile, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { Client } from '../api/client.ts';
import { isWeftError } from '../core/errors.ts';
import { requireRoot, skipBecause } from '../test/support/requirements.ts';

const weft = fileURLToPath(new URL('../../bin/weft', import.meta.url));

interface Flags {
  readonly store: string;
  readonly advertise: string;
  readonly 'data-dir': string;
  readonly socket: string;
  readonly 'netns-prefix': string;
}

class DaemonProcess {
  readonly #child: ChildProcess;
  readonly client: Client;
  stderr = '';
  stdout = '';

  constructor(flags: Flags) {
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    this.#child = spawn(process.execPath, [weft, 'daemon', '--host=h1', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.client = new Client({ socket: flags.socket });
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Its exit status, null when a signal ended it. */
  async end(): Promise<number | null> {
    if (!this.ended) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  /** Waits until the API answers as wanted; a daemon that ends meanwhile will not. */
  async until(wanted: (client: Client) => Promise<boolean>): Promise<void> {
    while (!(await wanted(this.client).catch(noDaemonYet))) {
      if (this.ended) throw new Error(`The daemon ended: ${this.stderr}`);
      await sleep(20);
    }
  }
}

function noDaemonYet(error: unknown): boolean {
  if (isWeftError(error, 'daemon-unreachable') || isWeftError(error, 'not-ready')) return false;
  throw error;
}

const isRunning = async (client: Client): Promise<boolean> => (await client.call('ready')).status === 'ok';

describe('a daemon', () => {
  let folder: string;
  let flags: Flags;
  const started: DaemonProcess[] = [];

  beforeEach(async function () {
    requireRoot(this);
    const address = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    if (address === undefined) skipBecause(this, 'needs an IPv4 address of the machine');
    folder = await mkdtemp(join(tmpdir(), 'weft-daemon-'));
    flags = {
      store: `file:${folder}/log`,
      advertise: address,
      'data-dir': join(folder, 'data'),
      socket: join(folder, 'weft.sock'),
      'netns-prefix': `wt${process.pid}d-`,
    };
  });

  afterEach(async () => {
    for (const daemon of started.splice(0)) {
      daemon.kill('SIGKILL');
      await daemon.end();
    }
    await rm(`/run/weft/netns-wt${process.pid}d-.lock`, { force: true });
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const start = (more: Partial<Flags> = {}): DaemonProcess => {
    const daemon = new DaemonProcess({ ...flags, ...more });
    started.push(daemon);
    return daemon;
  };
  /** A daemon that cannot start: one line, exit status 1. */
  const refused = async (more: Partial<Flags>, code: string, message: RegExp): Promise<void> => {
    const daemon = start(more);
    assert.equal(await daemon.end(), 1);
    const last = daemon.stderr.trimEnd().split('\n').at(-1) ?? '';
    assert.match(last, new RegExp(`^weft: .* \\(${code}\\)$`));
    assert.match(last, message);
  };

  it('joins, answers, logs JSON lines to standard error, and stops cleanly on SIGTERM and SIGINT', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const daemon = start();
      await daemon.until(isRunning);
      const { items } = await daemon.client.call('listHosts');
      assert.deepEqual(
        items.map(({ name, self, address }) => ({ name, self, address })),
        [{ name: 'h1', self: true, address: flags.advertise }],
      );
      daemon.kill('SIGHUP');
      daemon.kill(signal);
      assert.equal(await daemon.end(), 0, daemon.stderr);
      await assert.rejects(lstat(flags.socket), { code: 'ENOENT' });
      assert.equal(daemon.stdout, '');
      for (const line of daemon.stderr.trimEnd().split('\n'))
        assert.equal(typeof JSON.parse(line).message, 'string');
    }
  });

  it('keeps its identity, and makes another epoch of every life', async () => {
    const epochs: (number | undefined)[] = [];
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const daemon = start();
      await daemon.until(isRunning);
      epochs.push((await daemon.client.call('status')).epoch);
      daemon.kill(signal);
      await daemon.end();
    }
    assert.deepEqual(epochs, [1, 2]);
    assert.match(await readFile(join(folder, 'data', 'identity'), 'utf8'), /^[0-9a-f]{32}\n$/);
  });

  it('ends when the cluster refuses it, and leaves nothing behind', async () => {
    const first = start();
    await first.until(isRunning);
    first.kill('SIGTERM');
    await first.end();
    await refused({ 'data-dir': join(folder, 'another-machine') }, 'host-taken', /h1/);
    await assert.rejects(lstat(flags.socket), { code: 'ENOENT' });
  });

  it('knows who asked', async () => {
    const daemon = start();
    await daemon.until(isRunning);
    const network = await daemon.client.call('createNetwork', { body: { name: 'red', driver: 'overlay' } });
    assert.equal(network.created.by, `uid:${process.geteuid?.()}`);
  });

  it('refuses to share directory, prefix or socket with another', async () => {
    await start().until(isRunning);
    const apart = {
      'data-dir': join(folder, 'data2'),
      'netns-prefix': `wt${process.pid}e-`,
      socket: join(folder, 'weft2.sock'),
    };
    await refused({ ...apart, 'data-dir': flags['data-dir'] }, 'already-running', /--data-dir/);
    await refused({ ...apart, 'netns-prefix': flags['netns-prefix'] }, 'already-running', /--netns-prefix/);
    await refused({ ...apart, socket: flags.socket }, 'already-running', /--socket/);
    assert.equal((await new Client({ socket: flags.socket }).call('healthy')).status, 'ok');
  });

  it('refuses what it cannot run with', async () => {
    await refused({ advertise: '198.51.100.77' }, 'bad-configuration', /198\.51\.100\.77/);
    await refused({ store: 'smoke://signals' }, 'bad-store-url', /smoke/);
    await refused({ 'netns-prefix': '../x' }, 'bad-configuration', /namespace prefix/);
    await refused({ advertise: '127.0.0.1' }, 'bad-address', /127\.0\.0\.1/);
  });

  it('runs without its store, says so, and refuses changes and reads in time', async () => {
    const daemon = start({ store: 'etcd://127.0.0.1:1/weft' });
    await daemon.until(async (client) => {
      const { store } = await client.call('status');
      return !store.reachable && store.reason !== undefined;
    });
    assert.notEqual((await daemon.client.call('status')).phase, 'running');
    assert.equal((await daemon.client.call('healthy')).status, 'ok');
    await assert.rejects(daemon.client.call('listNetworks'), (error) => isWeftError(error, 'not-ready'));
    await assert.rejects(daemon.client.call('createNetwork', { body: { name: 'red' } }), (error) => {
      return isWeftError(error) && ['store-unreachable', 'not-ready', 'outcome-unknown'].includes(error.code);
    });
    const shown = await new Promise<{ code: number | null; out: string }>((resolve) => {
      const child = execFile(process.execPath, [weft, '--socket', flags.socket, 'doctor'], (_error, out) => {
        resolve({ code: child.exitCode, out });
      });
    });
    assert.equal(shown.code, 1);
    assert.match(shown.out, /^The store is not reachable/);
    daemon.kill('SIGTERM');
    assert.equal(await daemon.end(), 0, daemon.stderr);
  });
});
