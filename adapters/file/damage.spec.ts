/** Whatever is done to a log's files, what is read is a beginning of what was written, or a refusal. Never anything else. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { before, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { genesis, type LogEntry, type Position } from '../../core/log/event-log.ts';
import { draft, never, take, takeAll } from '../../test/support/log-drafts.ts';
import { runs } from '../../test/support/property-settings.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SimulatedDisk } from '../../test/support/simulated-disk.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import { FileEventLog } from './event-log.ts';

const bounds = { segmentBytesMax: 1200, pageBytesMax: 500 };

const damages = fc.record({
  file: fc.nat(),
  kind: fc.constantFrom(
    'flip' as const,
    'cut' as const,
    'zero' as const,
    'delete' as const,
    'append' as const,
  ),
  at: fc.nat(),
  length: fc.integer({ min: 1, max: 600 }),
});

describe('a damaged file log', function suite() {
  this.timeout(120_000);

  let disk: SimulatedDisk;
  let original: LogEntry[];

  before(async () => {
    disk = new SimulatedDisk();
    const log = logOn(disk);
    await log.open(never());
    for (let index = 0; index < 12; index++)
      await log.append(draft(Buffer.alloc((index * 97) % 500, index)), never());
    original = await takeAll(log, genesis);
    await log.close();
    assert.ok(segmentsOf(disk).length >= 3, 'several segments');
  });

  it('P7: is read to a beginning or refused, after any damage to any file', async () => {
    const seen = { beginnings: 0, refusals: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(damages, { minLength: 1, maxLength: 3 }), async (list) => {
        const copy = disk.copy();
        for (const damage of list) inflict(copy, damage);
        const found = await read(copy);
        if (found === undefined) seen.refusals += 1;
        else {
          seen.beginnings += 1;
          assert.deepEqual(found.map(plain), original.slice(0, found.length).map(plain));
        }
      }),
      { numRuns: runs(800) },
    );
    assert.ok(seen.beginnings > 50 && seen.refusals > 50, `not both were seen: ${JSON.stringify(seen)}`);
  });

  it('that was trimmed is read to a beginning of what is left, or refused, after any damage to any file', async () => {
    const trimmed = disk.copy();
    const log = logOn(trimmed);
    await log.open(never());
    const floor = original[6];
    assert.ok(floor !== undefined);
    await log.trim(floor.position, never());
    await log.close();
    assert.ok(segmentsOf(trimmed).length < segmentsOf(disk).length, 'some are gone');
    const left = original.slice(7).map(plain);
    const seen = { beginnings: 0, refusals: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(damages, { minLength: 1, maxLength: 3 }), async (list) => {
        const copy = trimmed.copy();
        for (const damage of list) inflict(copy, damage);
        const found = await read(copy, floor.position);
        if (found === undefined) seen.refusals += 1;
        else {
          seen.beginnings += 1;
          assert.deepEqual(found.map(plain), left.slice(0, found.length));
        }
      }),
      { numRuns: runs(400) },
    );
    assert.ok(seen.beginnings > 0 && seen.refusals > 0, `not both were seen: ${JSON.stringify(seen)}`);
  });

  it('is refused for any flip in a durable frame, with the file and a place in it', async () => {
    for (const path of segmentsOf(disk)) {
      const bytes = disk.contents(path);
      for (let at = 0; at < bytes.length; at += 7) {
        const copy = disk.copy();
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
        copy.corrupt(path, flipped);
        const log = logOn(copy);
        await assert.rejects(log.open(never()), (error) => {
          assert.ok(
            isWeftError(error, 'log-damaged') || isWeftError(error, 'unknown-version'),
            String(error),
          );
          assert.ok(
            error.message.includes(path) && error.message.includes('nothing was changed'),
            error.message,
          );
          return true;
        });
        await log.close();
        assert.ok(copy.contents(path).equals(flipped), 'nothing is repaired');
      }
    }
  });

  it('is refused when a segment is missing', async () => {
    for (const path of segmentsOf(disk)) {
      const copy = disk.copy();
      copy.delete(path);
      assert.equal(await read(copy), undefined, path);
    }
  });

  it('is found out while it is read, also where it was verified before', async () => {
    const copy = disk.copy();
    const log = logOn(copy);
    await log.open(never());
    const [path = ''] = segmentsOf(copy);
    const bytes = copy.contents(path);
    bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1;
    copy.corrupt(path, bytes);
    await assert.rejects(take(log, genesis, original.length), (error) => isWeftError(error, 'log-damaged'));
    await log.close();
  });

  it('has its head found again from the segments', async () => {
    for (const head of [
      undefined,
      Buffer.alloc(0),
      Buffer.from('rubbish'),
      disk.contents('/log/head').fill(0),
    ]) {
      const copy = disk.copy();
      if (head === undefined) copy.delete('/log/head');
      else copy.corrupt('/log/head', head);
      assert.deepEqual((await read(copy))?.map(plain), original.map(plain));
      assert.ok(copy.contents('/log/head').equals(disk.contents('/log/head')));
    }
  });

  it('tells a resuming reader that a restored backup has lost entries, or has gone on another way', async () => {
    const log = logOn(disk.copy());
    const older = new SimulatedDisk();
    const first = logOn(older);
    await first.open(never());
    for (let index = 0; index < 3; index++) await first.append(draft(`${index}`), never());
    const backup = older.copy();
    const there = await first.append(draft('lost with the restore'), never());
    await first.close();
    const restored = logOn(backup);
    await restored.open(never());
    await assert.rejects(take(restored, there, 1), (error) => isWeftError(error, 'log-ahead'));
    await restored.append(draft('another fourth'), never());
    await restored.append(draft('fifth'), never());
    await assert.rejects(take(restored, there, 1), (error) => isWeftError(error, 'log-mismatch'));
    await restored.close();
    await log.close();
  });

  for (const { what, sizes } of [
    { what: 'as many entries, in fewer segments', sizes: [1, 1, 1, 1] },
    { what: 'more entries, in other segments', sizes: [1, 1, 400, 400, 1, 400] },
  ]) {
    it(`tells a process that has it open that a restored backup came to ${what}`, async () => {
      const live = new SimulatedDisk();
      const log = logOn(live);
      await log.open(never());
      await log.append(draft('kept'), never());
      const backup = live.copy();
      for (let index = 0; index < 4; index++) await log.append(draft(Buffer.alloc(400, index)), never());
      const before = segmentsOf(live);
      assert.ok(before.length > 1, 'the entries that are lost began a segment');
      for (const path of live.paths()) live.delete(path);
      for (const path of backup.paths()) {
        live.create(path);
        live.corrupt(path, backup.contents(path));
      }
      const other = logOn(live);
      await other.open(never());
      for (const size of sizes) await other.append(draft(Buffer.alloc(size, 9)), never());
      await other.close();
      assert.ok(!segmentsOf(live).includes(before.at(-1) ?? ''), 'the last segment of before is gone');
      await assert.rejects(log.head(never()), (error) => isWeftError(error, 'log-mismatch'));
      await log.close();
    });
  }

  for (const { what, floorBefore, others } of [
    { what: 'before it was trimmed', floorBefore: 0, others: 0 },
    { what: 'before it was trimmed, and went on', floorBefore: 0, others: 3 },
    { what: 'before it was trimmed further', floorBefore: 1, others: 0 },
  ]) {
    it(`tells a process that has it open of a backup from ${what}, and writes nothing to that`, async () => {
      const live = new SimulatedDisk();
      const log = logOn(live);
      await log.open(never());
      const entries: Position[] = [];
      for (let index = 0; index < 3; index++)
        entries.push(await log.append(draft(Buffer.alloc(90, index)), never()));
      const early = entries[floorBefore - 1];
      if (early !== undefined) await log.trim(early, never());
      const backup = live.copy();
      const last = await log.append(draft(Buffer.alloc(90, 9)), never());
      await log.trim(last, never());
      assert.equal(segmentsOf(live).join(), segmentsOf(backup).join(), 'all is in one segment');
      for (const path of live.paths()) live.delete(path);
      for (const path of backup.paths()) {
        live.create(path);
        live.corrupt(path, backup.contents(path));
      }
      const other = logOn(live);
      await other.open(never());
      for (let index = 0; index < others; index++)
        await other.append(draft(Buffer.alloc(80, 40 + index)), never());
      const before = await takeAll(other, early ?? genesis);
      await assert.rejects(log.head(never()), (error) => isWeftError(error, 'log-mismatch'));
      await assert.rejects(log.append(draft('new'), never()), (error) => isWeftError(error, 'log-mismatch'));
      assert.deepEqual((await takeAll(other, early ?? genesis)).map(plain), before.map(plain));
      await Promise.all([log.close(), other.close()]);
    });
  }
});

/** What a new process reads, undefined where it refuses. */
async function read(disk: SimulatedDisk, after = genesis): Promise<LogEntry[] | undefined> {
  const log = logOn(disk);
  try {
    await log.open(never());
    return await takeAll(log, after);
  } catch (error) {
    const codes = ['log-damaged', 'log-mismatch', 'log-ahead', 'unknown-version'] as const;
    assert.ok(
      codes.some((code) => isWeftError(error, code)),
      String(error),
    );
    return undefined;
  } finally {
    await log.close();
  }
}

function inflict(
  disk: SimulatedDisk,
  {
    file,
    kind,
    at,
    length,
  }: { file: number; kind: 'flip' | 'cut' | 'zero' | 'delete' | 'append'; at: number; length: number },
): void {
  const paths = disk.paths();
  const path = paths[file % paths.length] ?? '';
  const bytes = disk.contents(path);
  const where = bytes.length === 0 ? 0 : at % bytes.length;
  if (kind === 'delete') disk.delete(path);
  else if (kind === 'append') disk.corrupt(path, Buffer.concat([bytes, Buffer.alloc(length, at)]));
  else if (kind === 'cut') disk.corrupt(path, bytes.subarray(0, where));
  else if (bytes.length > 0) {
    if (kind === 'zero') bytes.fill(0, where, Math.min(where + length, bytes.length));
    else bytes[where] = (bytes[where] ?? 0) ^ (1 << (length % 8));
    disk.corrupt(path, bytes);
  }
}

function segmentsOf(disk: SimulatedDisk): string[] {
  return disk.paths().filter((path) => path.endsWith('.log'));
}

function logOn(disk: SimulatedDisk): FileEventLog {
  const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
  return new FileEventLog({ directory: '/log' }, ports, { fileSystem: disk.process(), bounds });
}

function plain(entry: LogEntry): { position: string; id: string; bytes: string } {
  return { position: entry.position, id: entry.id, bytes: Buffer.from(entry.bytes).toString('hex') };
}
