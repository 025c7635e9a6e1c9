/** The file log under real processes on the real disk: many at once, and killed in the middle of writing. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type EventLog, genesis, type LogEntry } from '../../core/log/event-log.ts';
import type { EntryId, SnapshotId } from '../../core/model/ids.ts';
import { draft, never, takeAll } from '../../test/support/log-drafts.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import { FileEventLog } from './event-log.ts';
import { parseFloor } from './floor.ts';
import { positionOf } from './position.ts';

const writerPath = fileURLToPath(new URL('../../test/support/file-log-writer.js', import.meta.url));
const trimmerPath = fileURLToPath(new URL('../../test/support/file-log-trimmer.js', import.meta.url));
const killsWanted = 24;

/** What writers said: every id that they tried, and the positions of those that were acked. */
interface Account {
  readonly tried: Set<string>;
  readonly acked: Map<string, string>;
}

describe('the file log of several processes', function suite() {
  this.timeout(180_000);
  let directory: string;
  const children = new Set<ChildProcess>();

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), `wt${process.pid}-file-processes-`));
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
    await rm(directory, { recursive: true });
  });

  it('is one log for processes that append at once', async () => {
    const account = emptyAccount();
    const log = await open(directory);
    const writers = Array.from({ length: 4 }, () => startWriter(directory, 40, account));
    const own = Array.from({ length: 40 }, () => draft('of the parent'));
    for (const each of own) account.acked.set(each.id, await log.append(each, never()));
    for (const each of own) account.tried.add(each.id);
    const codes = await Promise.all(writers.map(async ({ ended }) => ended));
    assert.deepEqual(codes, [0, 0, 0, 0]);
    assert.equal(account.acked.size, 200);
    await check(directory, log, account);
    await log.close();
  });

  it(`loses nothing that it acked when writers are killed ${killsWanted} times`, async () => {
    const account = emptyAccount();
    const log = await open(directory);
    const tail = follow(log);
    let kills = 0;
    while (kills < killsWanted) {
      const writer = startWriter(directory, 1_000_000, account);
      await writer.firstAck;
      const own = draft(`round ${kills}`);
      account.tried.add(own.id);
      const appending = log.append(own, never());
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
      writer.child.kill('SIGKILL');
      assert.equal(await writer.ended, null, 'it was killed, not ended');
      account.acked.set(own.id, await appending);
      kills += 1;
    }
    // What the last writer left whole but unpublished is taken in by whoever writes next: here, not between two reads.
    const last = draft('the last');
    account.tried.add(last.id);
    account.acked.set(last.id, await log.append(last, never()));
    assert.ok(account.acked.size > 2 * killsWanted, `only ${account.acked.size} appends were acked`);
    await check(directory, log, account);
    const whole = await takeAll(log, genesis);
    const followed = await tail.until(whole.length);
    assert.deepEqual(followed.map(plain), whole.map(plain), 'the tail that lived through it saw the same');
    await log.close();
  });

  it('loses nothing behind the floor when processes that trim it are killed while others append', async () => {
    const account = emptyAccount();
    const log = await open(directory);
    const writers = Array.from({ length: 3 }, () => startWriter(directory, 60, account));
    const trims: string[] = [];
    let isWriting = true;
    const written = Promise.all(writers.map(async ({ ended }) => ended)).finally(() => {
      isWriting = false;
    });
    do {
      const { child, ended, firstTrim } = startTrimmer(trims);
      await firstTrim;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
      child.kill('SIGKILL');
      assert.equal(await ended, null, 'it was killed, not ended');
    } while (isWriting);
    assert.deepEqual(await written, [0, 0, 0]);
    await checkTrimmed(directory, log, account, trims);
    await log.close();
  });

  it('keeps its directory and files to their owner', async () => {
    const inner = join(directory, 'a', 'b');
    const log = await open(inner);
    const position = await log.append(draft(), never());
    await log.trim(position, never());
    const id = 'a'.repeat(32) as SnapshotId;
    await log.snapshots.putChunk(id, 0, Buffer.from('chunk'), never());
    await log.snapshots.putManifest(id, Buffer.from('manifest'), never());
    for (const path of ['..', '.', 'snapshots', `snapshots/${id}`].map((name) => join(inner, name)))
      assert.equal((await stat(path)).mode & 0o777, 0o700, path);
    const kept = ['0000', 'manifest'].map((name) => join('snapshots', id, name));
    for (const name of ['LOCK', 'QUEUE', 'head', 'floor', '00000000000000000001.log', ...kept]) {
      assert.equal((await stat(join(inner, name))).mode & 0o777, 0o600, name);
    }
    await log.close();
  });

  function startTrimmer(trims: string[]): {
    child: ChildProcess;
    ended: Promise<number | null>;
    firstTrim: Promise<void>;
  } {
    const child = spawn(process.execPath, [trimmerPath, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.add(child);
    assert.ok(child.stdout !== null);
    const lines = createInterface({ input: child.stdout });
    const firstTrim = new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        trims.push(line.split(' ')[1] ?? '');
        resolve();
      });
      lines.on('close', () => reject(new Error('the trimmer ended before its first trim')));
    });
    const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(
      ([[code]]) => code as number | null,
    );
    return { child, ended, firstTrim };
  }

  function startWriter(
    path: string,
    count: number,
    account: Account,
  ): { child: ChildProcess; ended: Promise<number | null>; firstAck: Promise<void> } {
    const child = spawn(process.execPath, [writerPath, path, String(count)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.add(child);
    assert.ok(child.stdout !== null);
    const lines = createInterface({ input: child.stdout });
    const firstAck = new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        const [verb, id = '', position = ''] = line.split(' ');
        if (verb === 'try') account.tried.add(id);
        if (verb !== 'ack') return;
        account.acked.set(id, position);
        resolve();
      });
      lines.on('close', () => reject(new Error('the writer ended before its first ack')));
    });
    const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(
      ([[code]]) => code as number | null,
    );
    return { child, ended, firstAck };
  }
});

/** Behind the floor everything is as it was acked, up to it nothing is left, and no trim that was acked was undone. */
async function checkTrimmed(
  directory: string,
  log: EventLog,
  account: Account,
  trims: readonly string[],
): Promise<void> {
  const floor = parseFloor(await readFile(join(directory, 'floor')));
  assert.ok(floor !== undefined);
  for (const position of trims) assert.ok(sequenceOf(position) <= floor.sequence, `${position} was undone`);
  const fresh = await open(directory);
  const entries = await takeAll(fresh, positionOf(floor));
  const positions = new Map(entries.map(({ id, position }) => [id as string, position as string]));
  assert.deepEqual(
    entries.map(({ position }) => sequenceOf(position)),
    entries.map((_, index) => floor.sequence + index + 1),
  );
  for (const [id, position] of account.acked) {
    const expected: string | undefined = sequenceOf(position) > floor.sequence ? position : undefined;
    assert.equal(positions.get(id), expected, `entry ${id} was acked`);
    assert.equal(await log.resolve({ id: id as EntryId, base: 0 }, never()), expected);
  }
  await log.trim(genesis, never());
  const segments = (await readdir(directory)).flatMap((name) => /^([0-9]{20})\.log$/.exec(name)?.[1] ?? []);
  assert.equal(segments.filter((first) => Number(first) <= floor.sequence + 1).length, 1);
  await fresh.close();
}

function sequenceOf(position: string): number {
  return Number(position.split('-')[0]);
}

/** Acked entries are there once, where they were acked; nothing is there that nobody tried; a fresh process agrees. */
async function check(directory: string, log: EventLog, account: Account): Promise<void> {
  const entries = await takeAll(log, genesis);
  const positions = new Map(entries.map(({ id, position }) => [id as string, position as string]));
  assert.equal(positions.size, entries.length, 'no entry is there twice');
  for (const [id, position] of account.acked)
    assert.equal(positions.get(id), position, `entry ${id} was acked`);
  for (const id of positions.keys()) assert.ok(account.tried.has(id), `nobody has tried ${id}`);
  assert.deepEqual(
    entries.map(({ position }) => Number(position.split('-')[0])),
    entries.map((_, index) => index + 1),
    'sequences are dense',
  );
  const fresh = await open(directory);
  assert.deepEqual((await takeAll(fresh, genesis)).map(plain), entries.map(plain));
  await fresh.close();
}

/** A tail that is read all the time. */
function follow(log: EventLog): { until(count: number): Promise<LogEntry[]> } {
  const controller = new AbortController();
  const seen: LogEntry[] = [];
  const reading = (async () => {
    for await (const entry of log.tail(genesis, controller.signal)) seen.push(entry);
  })();
  return {
    until: async (count) => {
      while (seen.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
      controller.abort();
      await reading;
      return seen;
    },
  };
}

async function open(directory: string): Promise<FileEventLog> {
  const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
  const log = new FileEventLog({ directory }, ports, { bounds: { segmentBytesMax: 64 * 1024 } });
  await log.open(never());
  return log;
}

function emptyAccount(): Account {
  return { tried: new Set(), acked: new Map() };
}

function plain(entry: LogEntry): string {
  return `${entry.position} ${entry.id} ${entry.bytes.length}`;
}
