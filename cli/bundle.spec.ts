/** `weft bundle` and `weft replay` as users run them, against a daemon's API over a fake control. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { recompute } from '../core/desired/recompute.ts';
import { drivers } from '../drivers/index.ts';
import { ApiFixture } from '../test/support/api-fixture.ts';

const weftProgram = fileURLToPath(new URL('../../bin/weft', import.meta.url));

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describe('a bundle on the command line', () => {
  let api: ApiFixture;
  let folder: string;
  let file: string;

  beforeEach(async () => {
    api = await ApiFixture.start();
    folder = await mkdtemp(join(tmpdir(), 'weft-bundle-'));
    file = join(folder, 'b.gz');
    await api.client.call('createNetwork', { body: { name: 'red', subnets: [{ prefix: '10.0.1.0/24' }] } });
    await api.client.call('connect', { params: { ref: 'red' }, body: { sandbox: 'c1', name: 'web' } });
    const wanted = recompute(drivers, { host: 'h1', netnsPrefix: 'weft-' }, api.control.state);
    api.control.kernelEvidence = { objects: [...wanted.values()], steady: true };
  });

  afterEach(async () => {
    await api.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function weft(args: readonly string[], input = ''): Promise<Result> {
    const env = { ...process.env, WEFT_SOCKET: api.socket };
    const child = spawn(process.execPath, [weftProgram, ...args], { env, cwd: folder });
    child.stdin.end(input);
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await closed, out, err };
  }

  it('is a file for its owner alone, named for host and time, never written over another', async () => {
    const { code, out, err } = await weft(['bundle']);
    assert.equal(code, 0, err);
    assert.match(out, /^weft-bundle-h1-\d{8}T\d{6}Z\.ndjson\.gz\n$/);
    assert.match(err, /read it before you send it/);
    const path = join(folder, out.trimEnd());
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const before = await readFile(path);
    const again = await weft(['bundle', '-o', path]);
    assert.equal(again.code, 1);
    assert.match(
      again.err,
      /there is one already; remove it or give another name with -o \(file-failed\)\n$/,
    );
    assert.deepEqual(await readFile(path), before);
  });

  it('goes to standard output and says nothing else there', async () => {
    const env = { ...process.env, WEFT_SOCKET: api.socket };
    const child = spawn(process.execPath, [weftProgram, 'bundle', '-o', '-'], { env });
    const chunks: Buffer[] = [];
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
    const lines = gunzipSync(Buffer.concat(chunks)).toString('utf8').trimEnd().split('\n');
    const types = lines.map((line) => (JSON.parse(line) as { type: string }).type);
    assert.deepEqual([types[0], types.at(-1)], ['bundle', 'end']);
    assert.equal(types.filter((type) => type === 'entry').length, 3);
  });

  it('leaves nothing behind where it cannot be finished', async () => {
    const { code } = await weft(['bundle', '-o', join(folder, 'no', 'such', 'folder')]);
    assert.equal(code, 1);
    api.control.entries = async () => {
      await api.stop();
      return { entries: [], end: false };
    };
    const lost = await weft(['bundle', '-o', file]);
    assert.equal(lost.code, 1, lost.err);
    assert.deepEqual(await readdir(folder), []);
  });

  it('is made with the store down as well, and says what it lacks', async () => {
    api.control.health = { reachable: false, reason: 'no route' };
    const { code, err } = await weft(['bundle', '-o', file]);
    assert.equal(code, 1);
    assert.match(
      err,
      /the bundle has 0 entries, not all up to ordinal 3: The store gave no entry \(store-unre/,
    );
    const replayed = await weft(['replay', file]);
    assert.equal(replayed.code, 1);
    assert.match(
      replayed.out,
      /The kernel was not compared: the bundle is of ordinal 3, and the entries break off/,
    );
  });

  it('is replayed without a daemon: every record, its commands, and that all is as recorded', async () => {
    await weft(['bundle', '-o', file]);
    await api.server.stop();
    const { code, out, err } = await weft(['replay', file]);
    assert.deepEqual({ code, err }, { code: 0, err: '' });
    assert.match(out, /^Bundle of host h1 by weft 0\.1\.0, /);
    assert.match(out, /^ {6}1 {2}h1: host-join 192\.168\.2\.15 0\.1\.0 -> host h1$/m);
    assert.match(out, /^ {6}3 {2}h1: endpoint-create web c1 on [0-9a-f]{12} -> endpoint [0-9a-f]{12}$/m);
    assert.match(out, /^ {9}ip netns add weft-[0-9a-f]{10}$/m);
    assert.match(out, /^The log folds to what the daemon had: 1 hash is the same\.$/m);
    assert.match(out, /^The kernel had what the log asks for: \d+ objects\.$/m);
    const to = await weft(['replay', file, '--to', '2']);
    assert.equal(to.code, 0);
    assert.doesNotMatch(to.out, /endpoint-create/);
    assert.match(to.out, /The kernel was not compared: the kernel was recorded at ordinal 3\./);
    const other = await weft(['replay', file, '--host', 'h2']);
    assert.doesNotMatch(other.out, /ip netns add/);
  });

  it('of a trimmed log begins with a snapshot, and its replay too', async () => {
    await api.control.makeSnapshot(new AbortController().signal);
    api.control.trim();
    await api.client.call('createNetwork', { body: { name: 'blue', subnets: [{ prefix: '10.0.2.0/24' }] } });
    const made = await weft(['bundle', '-o', file]);
    assert.equal(made.code, 0, made.err);
    assert.match(
      made.err,
      /the log was trimmed: the bundle begins with a snapshot, records up to 3 are not in it/,
    );
    const { code, out, err } = await weft(['replay', file]);
    assert.deepEqual({ code, err }, { code: 0, err: '' }, out);
    assert.match(out, /^Records up to 3 are not in the bundle: it begins with a snapshot by host h1$/m);
    assert.match(out, /^ {6}3 {2}the snapshot\n {9}ip netns add weft-[0-9a-f]{10}$/m);
    assert.match(out, /^ {6}4 {2}h1: network-create blue/m);
    assert.match(out, /^The log folds to what the daemon had: 1 hash is the same\.$/m);
    assert.match(out, /^The kernel had what the log asks for: \d+ objects\.$/m);
    const document = JSON.parse((await weft(['--format', 'json', 'replay', file])).out) as {
      snapshot: { ordinal: number; host: string; operations: unknown[] };
    };
    assert.deepEqual([document.snapshot.ordinal, document.snapshot.host], [3, 'h1']);
    assert.ok(document.snapshot.operations.length > 0);
    const early = await weft(['replay', file, '--to', '2']);
    assert.equal(early.code, 1);
    assert.match(early.err, /^weft: Cannot replay up to record 2: .* \(malformed\)\n$/);
  });

  it('of a trimmed log without a snapshot that can be used says so', async () => {
    api.control.trim();
    const { code, err } = await weft(['bundle', '-o', file]);
    assert.equal(code, 1);
    assert.match(
      err,
      /the bundle has 0 entries, not all up to ordinal 3: The log was trimmed \(log-trimmed\)/,
    );
  });

  it('is replayed as JSON and YAML', async () => {
    await weft(['bundle', '-o', file]);
    const { code, out } = await weft(['--format', 'json', 'replay', file]);
    assert.equal(code, 0);
    const document = JSON.parse(out) as {
      bundle: { ordinal: number };
      entries: { records: { ordinal: number; accepted: boolean }[]; operations: { text: string }[] }[];
      verdict: { agrees: boolean };
    };
    assert.equal(document.bundle.ordinal, 3);
    assert.deepEqual(
      document.entries.map(({ records }) => records.map(({ ordinal }) => ordinal)),
      [[1], [2], [3]],
    );
    assert.equal(document.verdict.agrees, true);
    assert.match((await weft(['--format', 'yaml', 'replay', file])).out, /^ {2}agrees: true$/m);
  });

  it('goes on by Enter and ends by q', async () => {
    await weft(['bundle', '-o', file]);
    const two = await weft(['replay', '--step', file], '\nq\n');
    assert.equal(two.code, 0);
    assert.match(two.out, /network-create/);
    assert.doesNotMatch(two.out, /endpoint-create|The log folds/);
    assert.match((await weft(['replay', '--step', file], '\n\n\n')).out, /The log folds/);
  });

  it('that shows a difference ends with 1 and says which', async () => {
    const { objects } = api.control.kernelEvidence;
    const lacking = objects.filter(({ kind }) => kind !== 'address');
    api.control.kernelEvidence = { objects: lacking, steady: true };
    await weft(['bundle', '-o', file]);
    const { code, out } = await weft(['replay', file]);
    assert.equal(code, 1);
    const count = objects.length - lacking.length;
    assert.match(out, new RegExp(`The kernel had not what the log asks for: ${count} differences\\.`));
    assert.match(out, /^ {2}missing: ip -n c1 address replace 10\.0\.1\.2\/24 dev eth0$/m);
  });

  it('that is torn, altered, newer or none is refused in one line', async () => {
    await weft(['bundle', '-o', file]);
    const whole = await readFile(file);
    const plain = gunzipSync(whole).toString('utf8');
    const cases: readonly (readonly [string, Uint8Array | undefined, RegExp])[] = [
      ['torn', whole.subarray(0, -20), /it was cut short; take it anew \(bad-bundle\)/],
      [
        'altered',
        gzipSync(plain.replace('"host":"h1"', '"host":"h7"')),
        /its digest differs.*\(bad-bundle\)/,
      ],
      ['newer', gzipSync(plain.replace('"format":1', '"format":2')), /use a newer weft \(newer-bundle\)/],
      ['flipped', whole.map((byte, at) => (at === 40 ? byte ^ 255 : byte)), /\(bad-bundle\)/],
      ['text', Buffer.from('hello'), /not compressed as one, or was altered \(bad-bundle\)/],
      ['missing', undefined, /no such file or folder \(file-failed\)/],
    ];
    for (const [name, bytes, message] of cases) {
      const path = join(folder, name);
      if (bytes !== undefined) await writeFile(path, bytes);
      const { code, out, err } = await weft(['replay', path]);
      assert.deepEqual([code, out], [1, ''], name);
      assert.match(err, message);
      assert.equal(err.split('\n').length, 2, err);
    }
    assert.equal((await weft(['replay', file, '--to', 'x'])).code, 2);
  });

  it('says in its help that it is not redacted, and what a replay needs', async () => {
    assert.match((await weft(['bundle', '--help'])).out, /not redacted[\s\S]*Read it before you send it/);
    assert.match((await weft(['replay', '--help'])).out, /Needs no daemon, no store and no root/);
  });
});
