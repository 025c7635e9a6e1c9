/** Trimming a directory that several processes share, on a disk that fails: what is trimmed stays so, nothing else goes. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { type EntryDraft, genesis, type LogEntry, type Position } from '../../core/log/event-log.ts';
import { draft, never, take, takeAll } from '../../test/support/log-drafts.ts';
import { codeOf } from '../../test/support/log-trials.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { type DiskPlan, SimulatedDisk, type SimulatedProcess } from '../../test/support/simulated-disk.ts';
import { SystemClock } from '../system/clock.ts';
import { FileEventLog } from './event-log.ts';
import { parseFloor } from './floor.ts';
import { placeOf, positionOf } from './position.ts';

/** Small, so that two or three entries fill a segment. */
const bounds = { segmentBytesMax: 700, pageBytesMax: 400 };
const floorPath = '/log/floor';

describe('trimming a file log', function suite() {
  this.timeout(120_000);

  it('is whole or not at all, whenever its process dies, and also if the power fails with it', async () => {
    const calls = await countCalls();
    assert.ok(calls > 60, `only ${calls} calls are tried`);
    for (const fault of ['die-before', 'die-amid', 'die-after'] as const) {
      for (let at = 1; at <= calls; at++) {
        for (const seed of [0, 1, 2]) {
          await withContext(`${fault} at call ${at}, power ${seed}`, async () => {
            const told = await run((count) => (count === at ? fault : undefined));
            if (seed > 0) told.disk.failPower(new SeededRandom(seed * 1000 + at));
            await checkSurvivors(told);
          });
        }
      }
    }
  });

  for (const fault of ['eio', 'enospc', 'short'] as const) {
    it(`can be repeated until it is done when calls fail with ${fault}`, async () => {
      const calls = await countCalls();
      for (let at = 1; at <= calls; at++) {
        for (const width of [1, 4]) {
          await withContext(`${width} from call ${at}`, async () => {
            const told = await run((count) => (count >= at && count < at + width ? fault : undefined));
            assert.equal(told.isDone, true, 'all was done in the end');
            told.disk.failPower(new SeededRandom(at));
            await checkSurvivors(told);
          });
        }
      }
    });
  }

  it('removes the segments that lie wholly behind it, and no other', async () => {
    const { disk, log, entries } = await filled(12);
    const before = segmentsOf(disk);
    assert.ok(before.length >= 4, before.join(' '));
    const [, second, third] = before;
    assert.ok(second !== undefined && third !== undefined);
    await log.trim(positionAt(entries, third - 2), never());
    assert.deepEqual(segmentsOf(disk), before.slice(1), 'the last entry of the second is left');
    await log.trim(positionAt(entries, third - 1), never());
    assert.deepEqual(segmentsOf(disk), before.slice(2));
    await log.trim(positionAt(entries, 12), never());
    assert.deepEqual(segmentsOf(disk), before.slice(-1));
    await log.close();
  });

  it('is finished by whoever opens the log next', async () => {
    const { disk, log, entries } = await filled(12);
    const before = segmentsOf(disk);
    const removing = disk.process((_count, call) => (call === 'remove' ? 'die-before' : undefined));
    const dying = await open(removing);
    await dying.trim(positionAt(entries, 10), never());
    assert.ok(removing.isDead);
    assert.deepEqual(segmentsOf(disk), before, 'nothing was removed');
    assert.deepEqual((await takeAll(log, positionAt(entries, 10))).map(plain), entries.slice(10).map(plain));
    assert.equal(await codeOf(take(log, genesis, 1)), 'log-trimmed');
    await (await open(disk.process())).close();
    assert.deepEqual(
      segmentsOf(disk),
      before.filter((first) => first >= (before.findLast((one) => one <= 11) ?? 0)),
    );
    await log.close();
  });

  it('is not undone by segments that come back, nor by a head from before it', async () => {
    const { disk, log, entries } = await filled(12);
    const [early, ...rest] = disk.paths().filter((path) => path.endsWith('.log'));
    assert.ok(early !== undefined && rest.length > 2);
    const old = new Map([early, '/log/head'].map((path) => [path, disk.contents(path)]));
    for (let index = 0; index < 6; index++) await log.append(draft(Buffer.alloc(300, index)), never());
    const whole = await takeAll(log, genesis);
    await log.trim(positionAt(whole, 17), never());
    await log.close();
    for (const [path, bytes] of old) {
      if (disk.find(path) === undefined) disk.create(path);
      disk.corrupt(path, bytes);
    }
    const fresh = await open(disk.process());
    assert.equal(await fresh.head(never()), positionAt(whole, 18));
    assert.deepEqual((await takeAll(fresh, positionAt(whole, 17))).map(plain), whole.slice(17).map(plain));
    assert.equal(await codeOf(take(fresh, positionAt(entries, 12), 1)), 'log-trimmed');
    assert.ok(!disk.paths().includes(early), 'it was removed again');
    await fresh.close();
  });

  it('is refused to be read with a floor that is damaged, lost or of another log', async () => {
    const { disk, log, entries } = await filled(12);
    await log.trim(positionAt(entries, 8), never());
    await log.close();
    const floor = disk.contents(floorPath);
    for (let at = 0; at < floor.length; at++) {
      const copy = disk.copy();
      const flipped = Buffer.from(floor);
      flipped[at] = (flipped[at] ?? 0) ^ 0x04;
      copy.corrupt(floorPath, flipped);
      assert.equal(await codeOf(open(copy.process())), 'log-damaged', `byte ${at}`);
      copy.corrupt(floorPath, floor.subarray(0, at));
      assert.equal(await codeOf(open(copy.process())), 'log-damaged', `cut at ${at}`);
    }
    const lost = disk.copy();
    lost.delete(floorPath);
    assert.equal(await codeOf(open(lost.process())), 'log-damaged');
    const other = await filled(12);
    await other.log.trim(positionAt(other.entries, 8), never());
    const swapped = disk.copy();
    swapped.corrupt(floorPath, other.disk.contents(floorPath));
    assert.equal(await codeOf(open(swapped.process())), 'log-mismatch');
    const emptied = disk.copy();
    for (const path of emptied.paths()) if (path !== floorPath) emptied.delete(path);
    assert.equal(await codeOf(open(emptied.process())), 'log-damaged');
    await other.log.close();
  });

  it('is seen by a process that reads nothing for a while, and by one that is behind all that is left', async () => {
    const { disk, log, entries } = await filled(3);
    const [slow, far] = [await open(disk.process()), await open(disk.process())];
    for (let index = 0; index < 12; index++) await log.append(draft(Buffer.alloc(250, index)), never());
    const whole = await takeAll(log, genesis);
    await far.head(never());
    await log.trim(positionAt(whole, 14), never());
    assert.ok((segmentsOf(disk)[0] ?? 0) > 4);
    for (const handle of [slow, far]) {
      assert.equal(await codeOf(take(handle, positionAt(entries, 3), 1)), 'log-trimmed');
      assert.equal(await handle.head(never()), positionAt(whole, 15));
      assert.equal(await handle.resolve({ id: at(entries, 0).id, base: 0 }, never()), undefined);
      assert.deepEqual((await takeAll(handle, positionAt(whole, 14))).map(plain), whole.slice(14).map(plain));
    }
    const made = draft('of the slow one');
    const position = await slow.append(made, never());
    assert.equal(await far.resolve(made, never()), position);
    await Promise.all([slow, far, log].map((each) => each.close()));
  });

  it('hinders nobody who is on the way to a head from before it', async () => {
    const { disk, log } = await filled(3);
    const process = disk.process();
    const reader = await open(process);
    const list = process.list.bind(process);
    let trimmedTo: Position | undefined;
    for (let index = 0; index < 8; index++) await log.append(draft(Buffer.alloc(250, index)), never());
    process.list = async (path) => {
      if (trimmedTo === undefined) {
        trimmedTo = await log.head(never());
        for (let index = 0; index < 8; index++) await log.append(draft(Buffer.alloc(250, index)), never());
        trimmedTo = await log.head(never());
        await log.trim(trimmedTo, never());
      }
      return await list(path);
    };
    assert.equal(await reader.head(never()), await log.head(never()));
    assert.ok(trimmedTo !== undefined, 'it was trimmed in the middle');
    await Promise.all([reader.close(), log.close()]);
  });

  it('lets an entry that it took be put once more, once, whichever process does it', async () => {
    const { disk, log, drafts, entries } = await filled(12);
    const [busy, idle] = [await open(disk.process()), await open(disk.process())];
    await takeAll(busy, genesis);
    await log.trim(positionAt(entries, 9), never());
    const again = await busy.append(at(drafts, 2), never());
    assert.equal(placeOf(again)?.sequence, 13);
    for (const handle of [log, idle, await open(disk.process())]) {
      assert.equal(await handle.resolve(at(drafts, 2), never()), again);
      assert.equal(await handle.append(at(drafts, 2), never()), again);
      assert.equal((await takeAll(handle, positionAt(entries, 9))).length, 4);
    }
    await log.trim(again, never());
    for (const handle of [log, busy, idle])
      assert.equal(await handle.resolve(at(drafts, 2), never()), undefined);
  });

  it('finds out that a directory was put back from a copy that has another floor entry', async () => {
    const { disk, log, entries } = await filled(12);
    const copy = disk.copy();
    await log.trim(positionAt(entries, 12), never());
    const floor = disk.contents(floorPath);
    const other = await open(copy.process());
    await other.append(draft('thirteenth'), never());
    const thirteenth = await other.head(never());
    await other.trim(thirteenth, never());
    await other.close();
    copy.corrupt(floorPath, floor);
    assert.equal(await codeOf(open(copy.process())), 'no error', 'it goes on from the lower floor');
    await log.append(draft('another thirteenth'), never());
    assert.equal(await codeOf(take(log, thirteenth, 1)), 'log-mismatch');
    assert.equal(await codeOf(log.trim(thirteenth, never())), 'log-mismatch');
    await log.close();
  });
});

/** What became of a run: of what was asked in it, and of its disk. */
interface Account {
  readonly disk: SimulatedDisk;
  readonly drafts: readonly EntryDraft[];
  /** Positions of acked appends, in order; the last of them is the late repetition of the first draft. */
  readonly acked: Position[];
  /** What was asked to be trimmed, and what was acked. */
  readonly asked: Position[];
  readonly trimmed: Position[];
  isDone: boolean;
}

/** Fills some segments, trims in the middle of one, goes on, trims all, puts the first again, and goes on. */
async function run(plan: DiskPlan): Promise<Account> {
  const disk = new SimulatedDisk();
  const process = disk.process(plan);
  const log = logOn(process);
  const sizes = [100, 500, 0, 300, 300, 50, 650, 20];
  const drafts = sizes.map((size, index) => draft(Buffer.alloc(size, index + 1)));
  const account: Account = { disk, drafts, acked: [], asked: [], trimmed: [], isDone: false };
  const append = async (each: EntryDraft | undefined): Promise<void> => {
    assert.ok(each !== undefined);
    account.acked.push(await persist(process, () => log.append(each, never())));
  };
  const trim = async (position: Position | undefined): Promise<void> => {
    assert.ok(position !== undefined);
    account.asked.push(position);
    await persist(process, () => log.trim(position, never()));
    account.trimmed.push(position);
  };
  try {
    await persist(process, () => log.open(never()));
    for (const each of drafts.slice(0, 6)) await append(each);
    await trim(account.acked[3]);
    await append(drafts[6]);
    await trim(account.acked[6]);
    await append(drafts[7]);
    await append(drafts[0]);
    account.isDone = true;
  } catch (error) {
    if (!process.isDead) throw error;
  }
  await log.close().catch((error: unknown) => assert.ok(process.isDead, String(error)));
  return account;
}

/** Repeats what fails, for as long as its process lives. */
async function persist<T>(process: SimulatedProcess, work: () => Promise<T>): Promise<T> {
  for (let tries = 0; tries < 40; tries++) {
    try {
      return await work();
    } catch (error) {
      if (process.isDead) throw error;
      const codes = ['store-unreachable', 'store-full', 'outcome-unknown'] as const;
      assert.ok(
        codes.some((code) => isWeftError(error, code)),
        String(error),
      );
    }
  }
  return assert.fail('never done');
}

async function countCalls(): Promise<number> {
  let calls = 0;
  await run((count) => {
    calls = count;
    return undefined;
  });
  return calls;
}

/** An acked trim holds, one that was asked may; all that was acked behind it is there; and the log goes on. */
async function checkSurvivors({ disk, drafts, acked, asked, trimmed }: Account): Promise<void> {
  const log = await open(disk.process());
  const floor = floorOn(disk);
  assert.ok(floor === genesis || asked.includes(floor), 'somebody asked for it');
  if (floor !== genesis) assert.equal(await codeOf(take(log, genesis, 1)), 'log-trimmed');
  const least = placeOf(trimmed.at(-1) ?? genesis)?.sequence ?? 0;
  const sequence = placeOf(floor)?.sequence ?? 0;
  assert.ok(sequence >= least, `trimmed to ${least}, found at ${sequence}`);
  const expected = [...drafts.slice(0, 8), ...drafts.slice(0, 1)].map(({ id }) => id);
  const entries = await takeAll(log, floor);
  assert.ok(sequence + entries.length >= acked.length, 'what was acked is there');
  assert.ok(sequence + entries.length <= acked.length + 1, 'and at most what was under way');
  assert.deepEqual(
    entries.map(({ id }) => id),
    expected.slice(sequence, sequence + entries.length),
  );
  for (const [index, position] of acked.entries()) {
    if (index >= sequence) assert.equal(entries[index - sequence]?.position, position);
  }
  const made = draft('one more');
  const position = await log.append(made, never());
  await log.trim(entries.at(-1)?.position ?? floor, never());
  await log.close();
  const fresh = await open(disk.process());
  assert.equal(await fresh.resolve(made, never()), position);
  assert.equal(await fresh.head(never()), position);
  assert.equal((await takeAll(fresh, entries.at(-1)?.position ?? floor)).length, 1);
  assert.equal(segmentsOf(disk).filter((first) => first <= acked.length).length <= 1, true, 'it was tidied');
  await fresh.close();
}

/** Where the log begins, as its floor says. */
function floorOn(disk: SimulatedDisk): Position {
  if (disk.find(floorPath) === undefined) return genesis;
  const floor = parseFloor(disk.contents(floorPath));
  assert.ok(floor !== undefined, 'a floor is never torn');
  return positionOf(floor);
}

async function filled(
  count: number,
): Promise<{ disk: SimulatedDisk; log: FileEventLog; drafts: EntryDraft[]; entries: LogEntry[] }> {
  const disk = new SimulatedDisk();
  const log = await open(disk.process());
  const drafts = Array.from({ length: count }, (_, index) => draft(Buffer.alloc(200, index)));
  for (const each of drafts) await log.append(each, never());
  return { disk, log, drafts, entries: await takeAll(log, genesis) };
}

/** Sleeps take a turn of the event loop: what is waited for here is other work, never time. */
class HastyClock extends SystemClock {
  override async sleep(): Promise<void> {
    await new Promise(setImmediate);
  }
}

/** No two processes draw the same ids. */
let seeds = 0;

function logOn(process: SimulatedProcess): FileEventLog {
  const ports = { clock: new HastyClock(), random: new SeededRandom(++seeds), logger: new QuietLogger() };
  return new FileEventLog({ directory: '/log' }, ports, { fileSystem: process, bounds });
}

async function open(process: SimulatedProcess): Promise<FileEventLog> {
  const log = logOn(process);
  await log.open(never());
  return log;
}

/** First sequences of the segments that are there. */
function segmentsOf(disk: SimulatedDisk): number[] {
  return disk
    .paths()
    .flatMap((path) => /([0-9]{20})\.log$/.exec(path)?.[1] ?? [])
    .map(Number);
}

function at<T>(items: readonly T[], index: number): T {
  const item = items.at(index);
  assert.ok(item !== undefined);
  return item;
}

/** Of the entry of a sequence, where all from the first on were read. */
function positionAt(entries: readonly LogEntry[], sequence: number): Position {
  return at(entries, sequence - 1).position;
}

function plain({ position, id }: LogEntry): string {
  return `${position} ${id}`;
}

/** Says in which case an assertion failed. */
async function withContext(context: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${context}: ${reason}`, { cause: error });
  }
}
