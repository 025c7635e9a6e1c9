/** Snapshots on a disk that fails: one that has a manifest is whole, whatever broke while it was written or dropped. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import type { StoredSnapshot } from '../../core/log/snapshot-store.ts';
import type { SnapshotId } from '../../core/model/ids.ts';
import { never } from '../../test/support/log-drafts.ts';
import { codeOf } from '../../test/support/log-trials.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { type DiskPlan, SimulatedDisk, type SimulatedProcess } from '../../test/support/simulated-disk.ts';
import { SystemClock } from '../system/clock.ts';
import { FileEventLog } from './event-log.ts';

const [kept, dropped] = ['1', '2'].map((digit) => digit.repeat(32) as SnapshotId) as [SnapshotId, SnapshotId];
const chunks = [0, 1, 2].map((index) => Buffer.alloc(700, index + 1));

describe('snapshots beside a file log', function suite() {
  this.timeout(60_000);

  it('are whole where they have a manifest, whenever their author dies, with the power or without', async () => {
    const calls = await countCalls();
    assert.ok(calls > 40, `only ${calls} calls are tried`);
    for (const fault of ['die-before', 'die-amid', 'die-after'] as const) {
      for (let at = 1; at <= calls; at++) {
        for (const seed of [0, 1, 2]) {
          const { disk, acked } = await run((count) => (count === at ? fault : undefined));
          if (seed > 0) disk.failPower(new SeededRandom(seed * 1000 + at));
          await checkSurvivors(disk, acked, `${fault} at call ${at}, power ${seed}`);
        }
      }
    }
  });

  for (const fault of ['eio', 'enospc', 'short'] as const) {
    it(`are there in the end when calls fail with ${fault} and are repeated`, async () => {
      const calls = await countCalls();
      for (let at = 1; at <= calls; at++) {
        const { disk, acked } = await run((count) => (count >= at && count < at + 3 ? fault : undefined));
        assert.deepEqual([...acked], ['kept', 'written', 'dropped']);
        disk.failPower(new SeededRandom(at));
        await checkSurvivors(disk, acked, `from call ${at}`);
      }
    });
  }

  it('leave no draft and no folder behind', async () => {
    const { disk } = await run(() => undefined);
    const paths = disk.paths().filter((path) => path.includes('/snapshots/'));
    assert.equal(paths.length, chunks.length + 1, paths.join(' '));
    assert.ok(paths.every((path) => path.startsWith(`/log/snapshots/${kept}/`)));
  });

  it('have no other names than ids', async () => {
    const disk = new SimulatedDisk();
    const log = await open(disk.process());
    disk.create('/log/snapshots/notes/manifest');
    assert.deepEqual(await log.snapshots.list(never()), []);
    const traversal = '../../etc' as SnapshotId;
    await assert.rejects(
      log.snapshots.putManifest(traversal, Buffer.from('m'), never()),
      /32 hexadecimal digits/,
    );
    await assert.rejects(log.snapshots.drop(traversal, never()), /32 hexadecimal digits/);
    await assert.rejects(log.snapshots.getChunk(traversal, 0, never()), /32 hexadecimal digits/);
    await log.close();
  });

  it('are refused by a handle that followed another log, and when they are cancelled', async () => {
    const disk = new SimulatedDisk();
    const log = await open(disk.process());
    const aborted = AbortSignal.abort();
    assert.equal(
      await codeOf(log.snapshots.putChunk(kept, 0, Buffer.from('x'), aborted)),
      'store-unreachable',
    );
    for (const path of disk.paths()) disk.delete(path);
    const fresh = await open(disk.process());
    assert.equal(await codeOf(log.snapshots.putChunk(kept, 0, Buffer.from('x'), never())), 'log-mismatch');
    assert.equal(await codeOf(log.snapshots.list(never())), 'log-mismatch');
    assert.deepEqual(await fresh.snapshots.list(never()), []);
    await Promise.all([log.close(), fresh.close()]);
  });
});

type Step = 'kept' | 'written' | 'dropped';

/** Writes two snapshots, and drops the second; says what of it was acked. */
async function run(plan: DiskPlan): Promise<{ disk: SimulatedDisk; acked: Set<Step> }> {
  const disk = new SimulatedDisk();
  const process = disk.process(plan);
  const log = logOn(process);
  const acked = new Set<Step>();
  const write = async (id: SnapshotId): Promise<void> => {
    for (const [index, bytes] of chunks.entries())
      await persist(process, () => log.snapshots.putChunk(id, index, bytes, never()));
    await persist(process, () => log.snapshots.putManifest(id, Buffer.from(id), never()));
  };
  try {
    await persist(process, () => log.open(never()));
    await write(kept);
    acked.add('kept');
    await write(dropped);
    acked.add('written');
    await persist(process, () => log.snapshots.drop(dropped, never()));
    acked.add('dropped');
  } catch (error) {
    if (!process.isDead) throw error;
  }
  await log.close().catch((error: unknown) => assert.ok(process.isDead, String(error)));
  return { disk, acked };
}

async function countCalls(): Promise<number> {
  let calls = 0;
  await run((count) => {
    calls = count;
    return undefined;
  });
  return calls;
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

async function checkSurvivors(disk: SimulatedDisk, acked: ReadonlySet<Step>, context: string): Promise<void> {
  const { snapshots, log } = await opened(disk);
  const found = await snapshots.list(never());
  const manifestOf = (id: SnapshotId): StoredSnapshot['manifest'] =>
    found.find((one) => one.id === id)?.manifest;
  if (acked.has('kept')) assert.ok(manifestOf(kept) !== undefined, context);
  if (acked.has('dropped')) assert.equal(manifestOf(dropped), undefined, context);
  for (const { id, manifest } of found) {
    if (manifest === undefined) continue;
    assert.equal(Buffer.from(manifest).toString(), id, context);
    for (const [index, bytes] of chunks.entries()) {
      const chunk = await snapshots.getChunk(id, index, never());
      assert.ok(chunk !== undefined && bytes.equals(chunk), `${context}: chunk ${index} of ${id}`);
    }
  }
  for (const { id } of found) await snapshots.drop(id, never());
  assert.deepEqual(await snapshots.list(never()), [], context);
  await log.close();
}

async function opened(
  disk: SimulatedDisk,
): Promise<{ log: FileEventLog; snapshots: FileEventLog['snapshots'] }> {
  const log = await open(disk.process());
  return { log, snapshots: log.snapshots };
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
  return new FileEventLog({ directory: '/log' }, ports, { fileSystem: process });
}

async function open(process: SimulatedProcess): Promise<FileEventLog> {
  const log = logOn(process);
  await log.open(never());
  return log;
}
