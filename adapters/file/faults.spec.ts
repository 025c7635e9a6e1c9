/** The file log on a disk that fails: what was acked stays, what was refused never comes, whatever breaks where. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { type EntryDraft, genesis, type LogEntry } from '../../core/log/event-log.ts';
import { draft, never, takeAll } from '../../test/support/log-drafts.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import {
  type DiskFault,
  type DiskPlan,
  SimulatedDisk,
  type SimulatedProcess,
} from '../../test/support/simulated-disk.ts';
import { SystemClock } from '../system/clock.ts';
import type { FileLogBounds } from './defaults.ts';
import { FileEventLog } from './event-log.ts';
import { encodeFrame } from './frame.ts';

/** Small, so that a handful of entries makes several segments and several pages. */
const bounds = { segmentBytesMax: 1500, pageBytesMax: 400 };
const contents = [100, 900, 0, 700, 700, 1300, 20].map((size, index) => Buffer.alloc(size, index + 1));
const powerSeeds = [1, 2];

/** What the author of an entry was told: `acked`, an error's code, or nothing because it died. */
type Told = string | undefined;

describe('the file log on a failing disk', function suite() {
  this.timeout(120_000);

  it('keeps what it acked when its process dies at any call, and when the power fails with it', async () => {
    const calls = await countCalls();
    assert.ok(calls > 40, `only ${calls} calls are tried`);
    for (const fault of ['die-before', 'die-amid', 'die-after'] as const) {
      for (let at = 1; at <= calls; at++) {
        await withContext(`${fault} at call ${at}`, async () => {
          const { disk, drafts, told } = await run((count) => (count === at ? fault : undefined));
          const ids = await checkSurvivors(disk, drafts, told);
          disk.failPower(new SeededRandom(at));
          assert.deepEqual(await idsOn(disk), ids, 'what the survivor acked was lost with the power');
          for (const seed of powerSeeds) {
            await withContext(`power failure ${seed}`, async () => {
              const {
                disk: again,
                told: toldAgain,
                drafts: draftsAgain,
              } = await run((count) => (count === at ? fault : undefined));
              again.failPower(new SeededRandom(seed * 1000 + at));
              await checkSurvivors(again, draftsAgain, toldAgain);
            });
          }
        });
      }
    }
  });

  for (const fault of ['eio', 'enospc', 'short'] as const) {
    it(`tells the truth when any one call fails with ${fault}, and goes on`, async () => {
      await failEach(fault, (count, at) => count === at);
    });
  }

  for (const fault of ['eio', 'enospc'] as const) {
    it(`tells the truth when every call fails with ${fault} from one on, for a while`, async () => {
      await failEach(fault, (count, at) => count >= at && count < at + 9);
    });
  }

  it('takes a head that was read late for nothing but late', async () => {
    const disk = new SimulatedDisk();
    const process = disk.process();
    let gate: Promise<void> | undefined;
    const slow = new Proxy(process, {
      get(target, name) {
        if (name === 'identityOf')
          return async (path: string) => {
            const held = path.endsWith('/head') ? gate : undefined;
            const identity = await target.identityOf(path);
            await held;
            return identity;
          };
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const log = logOn(slow);
    await log.open(never());
    assert.equal(await log.append(draft('before'), never()), await log.head(never()));
    let release = (): void => undefined;
    gate = new Promise((resolve) => {
      release = resolve;
    });
    const reading = log.head(never());
    await new Promise(setImmediate);
    gate = undefined;
    const position = await log.append(draft('meanwhile'), never());
    release();
    await reading;
    assert.equal(await log.head(never()), position);
    await log.close();
  });

  it('seals the segment after a failed sync, so that its bytes never come back', async () => {
    const disk = new SimulatedDisk();
    let failures = 0;
    const process = disk.process((_count, call, path) => {
      return call === 'sync' && path.endsWith('1.log') && ++failures === 3 ? 'eio' : undefined;
    });
    const logger = new QuietLogger();
    const log = logOn(process, logger);
    await log.open(never());
    const drafts = ['a', 'b', 'c', 'd'].map((text) => draft(text));
    for (const each of drafts) await log.append(each, never());
    await log.close();
    assert.equal(failures, 3, 'the first segment is synced no further');
    assert.ok(
      logger.lines.some(({ level, message }) => level === 'error' && /segment is sealed/.test(message)),
    );
    assert.deepEqual(
      disk.paths().filter((path) => path.endsWith('.log')),
      ['/log/00000000000000000001.log', '/log/00000000000000000003.log'],
    );
    // The frame that could not be synced comes back behind the seal, whole.
    const [first = ''] = disk.paths().filter((path) => path.endsWith('.log'));
    const second = disk.contents('/log/00000000000000000003.log');
    disk.corrupt(first, Buffer.concat([disk.contents(first), second.subarray(second.indexOf('weft', 4))]));
    assert.deepEqual(
      await idsOn(disk),
      drafts.map(({ id }) => id),
    );
  });

  it('hinders nobody who is on the way to a segment that is replaced because its first entry could not be synced', async () => {
    const disk = new SimulatedDisk();
    let isFailing = false;
    const process = disk.process((_count, call, path) =>
      isFailing && call === 'sync' && path.endsWith('.log') ? 'eio' : undefined,
    );
    const writer = logOn(process, new QuietLogger(), { ...bounds, commitTries: 1 });
    await writer.open(never());
    const [kept, refused, next] = [draft('kept'), draft('refused'), draft('next')];
    await writer.append(kept, never());
    const readersProcess = disk.process();
    const reader = logOn(readersProcess);
    await reader.open(never());
    const refuse = async (): Promise<void> => {
      isFailing = true;
      assert.equal(await codeOf(writer.append(refused, never())), 'store-unreachable');
      isFailing = false;
    };
    await refuse();
    const path = '/log/00000000000000000002.log';
    const first = disk.contents(path);
    const list = readersProcess.list.bind(readersProcess);
    readersProcess.list = async (directory) => {
      // The reader knows the head, which names the segment that is to be replaced, and has not looked for it yet.
      readersProcess.list = list;
      await refuse();
      return await list(directory);
    };
    assert.equal(await reader.head(never()), await writer.head(never()));
    assert.notDeepEqual(disk.contents(path), first, 'it was replaced in the middle');
    const position = await writer.append(next, never());
    assert.equal(await reader.resolve(next, never()), position);
    assert.equal(await reader.resolve(refused, never()), undefined);
    assert.deepEqual(
      (await takeAll(reader, genesis)).map(({ id }) => id),
      [kept.id, next.id],
    );
    await Promise.all([reader.close(), writer.close()]);
  });

  it('says that an outcome is unknown when a frame can neither be synced nor ruled out', async () => {
    const disk = new SimulatedDisk();
    let isBroken = false;
    const log = logOn(disk.process((_count, call) => (isBroken && call !== 'write' ? 'eio' : undefined)));
    await log.open(never());
    isBroken = true;
    const made = draft('limbo');
    await assert.rejects(log.append(made, never()), (error) => isWeftError(error, 'outcome-unknown'));
    isBroken = false;
    await log.append(made, never());
    await log.close();
    assert.deepEqual(await idsOn(disk), [made.id]);
  });

  it('lets readers see nothing that a crash may undo', async () => {
    const disk = new SimulatedDisk();
    const writer = disk.process((_count, call, path) => {
      return call === 'sync' && path.endsWith('1.log') && disk.contents(path).length > 600
        ? 'die-before'
        : undefined;
    });
    const log = logOn(writer);
    await log.open(never());
    const reader = logOn(disk.process());
    await reader.open(never());
    await log.append(draft('small'), never());
    const lost = draft(Buffer.alloc(500));
    await assert.rejects(log.append(lost, never()));
    assert.ok(
      disk.contents('/log/00000000000000000001.log').length > 600,
      'the whole frame is in the page cache',
    );
    assert.equal((await takeAll(reader, genesis)).length, 1);
    await reader.append(draft('next'), never());
    assert.ok((await reader.resolve(lost, never())) !== undefined, 'the next writer has adopted it');
    await reader.close();
  });

  it('does not say of an entry that it is not there which the next writer would adopt', async () => {
    const disk = new SimulatedDisk();
    let isBroken = false;
    const log = logOn(
      disk.process((_count, _call, path) => (isBroken && !path.endsWith('.log') ? 'eio' : undefined)),
    );
    await log.open(never());
    isBroken = true;
    const made = draft('written, and not published');
    await assert.rejects(log.append(made, never()), (error) => isWeftError(error, 'outcome-unknown'));
    await assert.rejects(log.resolve(made, never()), (error) => isWeftError(error, 'store-unreachable'));
    isBroken = false;
    const answer = await log.resolve(made, never());
    await log.append(draft('next'), never());
    assert.equal(await log.resolve(made, never()), answer);
    await log.close();
  });

  it('repairs an end that is torn at any byte', async () => {
    const { disk, whole, cutFrom } = await logWithUnpublishedEntry();
    const path = '/log/00000000000000000001.log';
    const bytes = disk.contents(path);
    for (let length = cutFrom; length <= bytes.length; length++) {
      const torn = disk.copy();
      torn.corrupt(path, bytes.subarray(0, length));
      const kept = length === bytes.length ? whole : whole.slice(0, -1);
      assert.deepEqual(await idsOn(torn), kept, `torn after ${length} bytes`);
      assert.deepEqual(await idsOn(torn, draft('next')), [...kept, 'next'], `torn after ${length} bytes`);
    }
  });

  it('repairs an end of any wrong bytes, but not when an entry follows them', async () => {
    const { disk, whole, cutFrom } = await logWithUnpublishedEntry();
    const path = '/log/00000000000000000001.log';
    const bytes = disk.contents(path);
    for (let at = cutFrom; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      const torn = disk.copy();
      torn.corrupt(path, flipped);
      assert.deepEqual(await idsOn(torn), whole.slice(0, -1));
      // The same flip with a whole later entry behind it is damage: cutting it off would lose that entry.
      const damaged = disk.copy();
      damaged.corrupt(path, Buffer.concat([flipped, laterFrame(bytes.subarray(cutFrom))]));
      await assert.rejects(idsOn(damaged), (error) => isWeftError(error, 'log-damaged'));
    }
  });

  it('refuses a head without segments rather than begin a new log beside it', async () => {
    const { disk } = await run(() => undefined);
    for (const path of disk.paths()) if (path.endsWith('.log')) disk.delete(path);
    await assert.rejects(idsOn(disk), (error) => isWeftError(error, 'log-damaged'));
  });
});

/** Runs the usual appends with one plan; a process that dies has been told nothing more. */
async function run(plan: DiskPlan): Promise<{ disk: SimulatedDisk; drafts: EntryDraft[]; told: Told[] }> {
  const disk = new SimulatedDisk();
  const process = disk.process(plan);
  const drafts = contents.map((bytes) => draft(bytes));
  const log = logOn(process);
  const told: Told[] = [];
  const opened = await codeOf(log.open(never()));
  for (const each of drafts) {
    if (opened !== 'acked' || process.isDead) break;
    const code = await codeOf(log.append(each, never()));
    told.push(process.isDead && code !== 'acked' ? undefined : code);
  }
  await log.close().catch((error: unknown) => assert.ok(process.isDead, String(error)));
  return { disk, drafts, told };
}

async function countCalls(): Promise<number> {
  let calls = 0;
  await run((count) => {
    calls = count;
    return undefined;
  });
  return calls;
}

/** Fails the calls that `which` picks, for every place to begin; repeats what failed; and has the power fail after all. */
async function failEach(fault: DiskFault, which: (count: number, at: number) => boolean): Promise<void> {
  const calls = await countCalls();
  for (let at = 1; at <= calls; at++) {
    await withContext(`from call ${at}`, async () => {
      const disk = new SimulatedDisk();
      const log = logOn(disk.process((count) => (which(count, at) ? fault : undefined)));
      while ((await codeOf(log.open(never()))) !== 'acked');
      const drafts = contents.map((bytes) => draft(bytes));
      for (const each of drafts) await appendStubbornly(log, each);
      assert.deepEqual(
        (await takeAll(log, genesis)).map(({ id }) => id),
        drafts.map(({ id }) => id),
      );
      await log.close();
      disk.failPower(new SeededRandom(at));
      assert.deepEqual(
        await idsOn(disk),
        drafts.map(({ id }) => id),
        'acked, then lost with the power',
      );
    });
  }
}

/** Tries until acked; after each definite refusal the entry must not be there. */
async function appendStubbornly(log: FileEventLog, each: EntryDraft): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const code = await codeOf(log.append(each, never()));
    if (code === 'acked') return;
    assert.ok(['store-unreachable', 'store-full', 'outcome-unknown'].includes(code), `unexpected: ${code}`);
    if (code === 'outcome-unknown') continue;
    const position = await log.resolve(each, never()).catch((error: unknown) => {
      assert.ok(isWeftError(error, 'store-unreachable') || isWeftError(error, 'store-full'), String(error));
      return undefined;
    });
    assert.equal(position, undefined, `refused with ${code}, but in the log`);
  }
  assert.fail('never acked');
}

/** Acked entries are there, in order; at most the one that was under way is there besides; and the log goes on. */
async function checkSurvivors(
  disk: SimulatedDisk,
  drafts: readonly EntryDraft[],
  told: readonly Told[],
): Promise<string[]> {
  const acked = told.filter((code) => code === 'acked').length;
  const ids = await idsOn(disk);
  assert.ok(ids.length === acked || ids.length === acked + 1, `${acked} acked, ${ids.length} found`);
  assert.deepEqual(
    ids,
    drafts.slice(0, ids.length).map(({ id }) => id),
  );
  const next = drafts[ids.length] ?? draft('one more');
  assert.deepEqual(await idsOn(disk, next), [...ids, 'next'], 'it goes on');
  assert.deepEqual(
    (await entriesOn(disk)).map(({ id }) => id),
    [...ids, next.id],
    'and keeps that',
  );
  return [...ids, next.id];
}

/** Ids that a new process finds, after having appended one more if asked to; that one is called `next`. */
async function idsOn(disk: SimulatedDisk, more?: EntryDraft): Promise<string[]> {
  return (await entriesOn(disk, more)).map(({ id }) => (id === more?.id ? 'next' : id));
}

async function entriesOn(disk: SimulatedDisk, more?: EntryDraft): Promise<LogEntry[]> {
  const log = logOn(disk.process());
  try {
    await log.open(never());
    if (more !== undefined) await log.append(more, never());
    return await takeAll(log, genesis);
  } finally {
    await log.close();
  }
}

/** A log whose last entry is whole but was not published: its author died before it wrote the head. */
async function logWithUnpublishedEntry(): Promise<{ disk: SimulatedDisk; whole: string[]; cutFrom: number }> {
  const disk = new SimulatedDisk();
  const path = '/log/00000000000000000001.log';
  let isLast = false;
  const process = disk.process((_count, call, name) =>
    isLast && call === 'write' && name === '/log/head' ? 'die-before' : undefined,
  );
  const log = logOn(process);
  await log.open(never());
  const drafts = ['one', 'two', 'the last one'].map((text) => draft(text));
  for (const each of drafts.slice(0, -1)) await log.append(each, never());
  const cutFrom = disk.contents(path).length;
  isLast = true;
  await assert.rejects(log.append(drafts.at(-1) ?? draft(), never()));
  assert.ok(disk.contents(path).length > cutFrom);
  return { disk, whole: drafts.map(({ id }) => id), cutFrom };
}

/** A whole frame of the sequence after that of the given one. */
function laterFrame(frame: Buffer): Buffer {
  const { sequence, payload } = {
    sequence: Number(frame.readBigUInt64LE(16)),
    payload: Buffer.from('later'),
  };
  return encodeFrame({
    kind: 'entry',
    sequence: sequence + 1,
    base: 0,
    id: 'f'.repeat(32),
    payload,
    previous: 0,
  }).bytes;
}

/** Sleeps take a turn of the event loop: what is waited for here is other work, never time. */
class HastyClock extends SystemClock {
  override async sleep(): Promise<void> {
    await new Promise(setImmediate);
  }
}

/** No two processes draw the same ids. */
let seeds = 0;

function logOn(
  process: SimulatedProcess,
  logger = new QuietLogger(),
  given: Partial<FileLogBounds> = bounds,
): FileEventLog {
  const ports = { clock: new HastyClock(), random: new SeededRandom(++seeds), logger };
  return new FileEventLog({ directory: '/log' }, ports, { fileSystem: process, bounds: given });
}

async function codeOf(outcome: Promise<unknown>): Promise<string> {
  return await outcome.then(
    () => 'acked',
    (error: unknown) => (isWeftError(error) ? error.code : String(error)),
  );
}

/** Says in which case an assertion failed. */
async function withContext(context: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new Error(`${context}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
